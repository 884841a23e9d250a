"""The backlog service, which tells CloudWatch what there is to do."""
