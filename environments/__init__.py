"""The deployments: a YAML file each, and what reads and checks it."""
