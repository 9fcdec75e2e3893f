"""LLM-guided and learned control of radio access networks, on a packet-level digital twin."""
