"""Describes networks: modules, parameters and cost."""
