"""Arguments that several commands share, and the printing of results."""
