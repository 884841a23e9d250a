"""What the server answers itself: it stands apart, for callers of the server load none of the rules."""

OPERATIONS = "/moto-api/operations"
"""Path that answers with the operations carried out since the last reset, a JSON list such as `["ecs.CreateService"]`."""

RESET = "/moto-api/reset"
"""moto's path that empties it."""
