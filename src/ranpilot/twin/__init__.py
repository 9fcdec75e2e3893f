"""The network: no learning, no language model, no torch."""
