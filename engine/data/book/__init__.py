"""A working copy of a dataset, to page through, search and edit; the file is never touched."""
