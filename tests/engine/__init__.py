"""Hatchet's own programs, run as the synthesized stacks would have AWS run them."""
