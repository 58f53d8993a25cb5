"""Networks by name, with all that is known of each."""
