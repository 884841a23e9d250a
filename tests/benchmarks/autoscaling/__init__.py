"""The autoscaling simulator."""
