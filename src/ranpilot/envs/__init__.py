"""Tasks on the twin and elsewhere, and the protocol that binds every controller."""
