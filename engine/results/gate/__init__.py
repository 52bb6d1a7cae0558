"""The gate: what is handed over must speak like the adapter that was trained."""
