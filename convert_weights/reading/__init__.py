"""Checkpoints are read from files, safely: weights, or one clear error."""

from convert_weights.reading.checkpoint import Checkpoint, read
from convert_weights.reading.errors import CheckpointError
from convert_weights.reading.pages import release
from convert_weights.reading.settings import Setting, Settings
from convert_weights.reading.validation import non_finite

__all__ = [
  "Checkpoint",
  "CheckpointError",
  "Setting",
  "Settings",
  "non_finite",
  "read",
  "release",
]
