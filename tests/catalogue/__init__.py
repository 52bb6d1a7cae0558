"""Collects the program's messages and keeps its catalogues: ``python -m tests.catalogue``."""
