"""`scythe-aws image mirror`: what it copies, what stands in its way, and what it keeps to itself."""
