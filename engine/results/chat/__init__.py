"""Talks to a base model and to any number of its adapters, held in one process."""
