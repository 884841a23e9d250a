"""The worker fleet."""
