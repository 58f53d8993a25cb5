"""Equal results, computed in the fastest way for each platform."""
