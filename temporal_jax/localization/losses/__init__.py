"""What localization networks minimise, and the targets that it compares with."""
