"""Published weights in, a complete Flax tree out, and back."""

from convert_weights.converter import convert, to_torch
from convert_weights.reading import CheckpointError, read
from convert_weights.registry import SOURCES

__all__ = ["SOURCES", "CheckpointError", "convert", "read", "to_torch"]
