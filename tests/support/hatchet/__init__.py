"""A real Hatchet engine for tests: its own database, its own ports, ended with the tests."""
