"""Videos compared with texts: zero-shot classification and search."""
