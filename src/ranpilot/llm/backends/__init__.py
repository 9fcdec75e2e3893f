"""One language model a file; the file name is the model's name."""
