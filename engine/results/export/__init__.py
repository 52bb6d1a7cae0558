"""Makes of an adapter what other programs can run, and holds it against the adapter."""
