"""Constructs and document builders that several modules share."""
