"""The parts of which a scenario is made, one file each: frozen records of bounded fields with their units."""
