"""What several commands share: arguments, and how results are shown."""
