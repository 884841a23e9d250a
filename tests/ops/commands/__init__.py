"""Each command, as people type it."""
