"""The learning systems, a room each."""
