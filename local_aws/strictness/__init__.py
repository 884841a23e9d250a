"""What the local AWS refuses, as AWS does: moto alone accepts nearly everything."""
