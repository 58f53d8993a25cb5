"""Catalog of networks by name, with the facts of each."""
