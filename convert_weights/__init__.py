"""Published weights in, a complete Flax tree out, and back."""
