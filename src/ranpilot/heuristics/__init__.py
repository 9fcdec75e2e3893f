"""Controllers without learning, one file each."""
