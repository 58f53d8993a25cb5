"""Texts as tokens, for networks that compare clips with texts."""
