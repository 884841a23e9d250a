"""Prices: the table, what is computed from it, and what is written."""
