"""Networks in directories: what every kind of them has in common."""
