"""Checks of Terraform plans."""
