"""What runs inside a worker process: training one adapter."""
