"""Tests, fast ones first: `pytest -m "not slow"` leaves out what plans or applies much."""
