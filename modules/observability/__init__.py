"""Alarms, logs and the budget."""
