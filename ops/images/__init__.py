"""Container images: what is copied into one, and the programs that build and push it."""
