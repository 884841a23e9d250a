"""Whole environments: synthesized, applied by the real Terraform to the local AWS, changed and destroyed."""
