"""The bucket of specs and results, and the worker image's repository."""
