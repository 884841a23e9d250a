"""The constructs of a self-hosted engine."""
