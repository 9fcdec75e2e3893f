"""`aura-paper`: the scenario of the AURA paper as a small environment of its own, without a packet in it.

`config` holds every constant, `kernel` one step of one network, `environment` the batch, `what_if` its copies.
"""
