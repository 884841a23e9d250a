"""The Terraform modules' constructs."""
