"""Training of localization networks: data and objectives."""
