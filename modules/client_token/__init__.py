"""The secret that holds the client token of Hatchet."""
