"""The backlog service: what it asks of the engine, what it publishes, and what it does when either is away."""
