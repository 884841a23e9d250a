"""The fleets' autoscaling, simulated: the synthesized alarms and policies under AWS's rules, and others beside them.

`python -m benchmarks.autoscaling --help`; docs/autoscaling.md shows what it gives.
"""
