"""A deployment, seen through the APIs of AWS and Hatchet."""
