"""The named scenarios, one YAML file each: the file name is the scenario's name."""
