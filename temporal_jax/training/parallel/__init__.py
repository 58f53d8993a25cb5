"""Training on many devices: mesh, sharding, layout of a step."""
