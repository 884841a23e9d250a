"""The engine that hands out tasks."""
