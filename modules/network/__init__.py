"""The VPC and the ways out of it."""
