"""The traffic models, one file each; the file `full_buffer.py` is the model `full-buffer`, its `PART`."""
