"""Benchmarks: what a synth costs, compared with what it could not cost less than."""
