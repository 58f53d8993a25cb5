"""Lowerings of operators: equal results, the fastest way per platform."""
