"""Read rows from any file or folder that can hold a dataset, one after the other."""
