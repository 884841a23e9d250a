"""What a researcher may do."""
