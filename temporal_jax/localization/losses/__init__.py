"""Losses of localization networks, and their targets."""
