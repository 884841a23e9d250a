"""What runs in the tasks: Scythe's worker with a researcher's experiments, and its health check."""
