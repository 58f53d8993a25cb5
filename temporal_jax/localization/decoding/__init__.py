"""From what networks give to segments with scores and labels."""
