"""Read, detect, validate and measure datasets; render rows with the trained tokens marked."""
