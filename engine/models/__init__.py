"""Find, inspect and fetch base models."""
