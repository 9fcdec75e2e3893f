"""Learning algorithms and their tested maths, one file each."""
