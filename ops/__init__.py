"""The command `scythe-aws`."""
