"""What localization networks minimise, and the targets of it."""
