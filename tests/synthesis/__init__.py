"""How Python becomes Terraform."""
