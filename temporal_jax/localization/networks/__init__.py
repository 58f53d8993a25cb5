"""Networks that find segments in sequences of features."""
