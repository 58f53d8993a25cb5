"""Temporal action localization of videos: feature network and detector."""
