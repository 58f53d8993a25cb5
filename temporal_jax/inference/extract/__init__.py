"""Features of videos, and files of them."""
