"""The modules' repository as a registry and its readers get it."""
