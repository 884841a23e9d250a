"""The commands of `scythe-aws`, a module for each."""
