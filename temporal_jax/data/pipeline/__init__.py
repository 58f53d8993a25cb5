"""Makes batches of clips from a source of videos."""
