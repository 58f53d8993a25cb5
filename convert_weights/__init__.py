"""Published weights in, a complete Flax tree out, and back."""

from convert_weights.apply import convert as convert, to_torch as to_torch
from convert_weights.reading import CheckpointError as CheckpointError, read as read
from convert_weights.registry import SOURCES as SOURCES
