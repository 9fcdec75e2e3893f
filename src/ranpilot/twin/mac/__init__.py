"""Medium access: packet queues, schedulers, link adaptation and retransmission."""
