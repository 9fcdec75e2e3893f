"""The run folder: config, metrics log, checkpoints, exact resume."""
