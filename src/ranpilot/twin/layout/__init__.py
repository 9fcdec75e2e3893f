"""Layouts made by rule: hexagons with wrap-around, the indoor office, sites from a file."""
