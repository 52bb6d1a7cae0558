"""What a finished run is worth: base and adapter compared."""
