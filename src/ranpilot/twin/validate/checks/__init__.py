"""The checks, one file each; `lines(effort)` of every file gives its lines, in the order of file names."""
