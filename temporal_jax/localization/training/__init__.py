"""Training of localization networks: their data and what they minimise."""
