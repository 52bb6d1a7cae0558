"""Hardware, memory model and planner: every parameter of a run with its reason."""
