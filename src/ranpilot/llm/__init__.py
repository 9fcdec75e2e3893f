"""Language models: choose among options, loading of weights, memory of answers."""
