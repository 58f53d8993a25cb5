"""Published weights in, a complete Flax tree out, and back."""

from convert_weights.conversion import SKIP, convert, revert
from convert_weights.rules import Rule

__all__ = ["SKIP", "Rule", "convert", "revert"]
