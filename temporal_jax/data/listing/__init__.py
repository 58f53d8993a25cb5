"""Finding a user's videos: folders, lists and CSV files."""
