"""Fleets of Scythe workers on Fargate."""
