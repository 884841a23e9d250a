"""The researcher's daily commands: `scythe-aws status`, `stop`, `logs` and `download`."""
