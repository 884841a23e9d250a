"""The worker, its drain, its engine's faults, its image, and the backlog service."""
