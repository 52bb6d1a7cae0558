"""Work that the engine does beside trainings, in a process each: exports and deployments."""
