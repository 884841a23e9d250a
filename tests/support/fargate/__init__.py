"""Runs the ECS tasks of a local AWS as processes of this machine, as ECS and Fargate run them."""
