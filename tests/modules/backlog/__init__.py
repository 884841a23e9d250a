"""Tests of the backlog service."""
