"""Judges a finished adapter against its base, and writes down all it takes to train it again."""
