"""Directories of saved networks: `model.json` and variables."""
