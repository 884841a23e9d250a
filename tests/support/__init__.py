"""What tests share: stand-ins for AWS and Hatchet, foreign tools, deployments, and drawn environments."""
