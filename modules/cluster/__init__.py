"""ECS clusters."""
