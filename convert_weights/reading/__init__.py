"""Reads checkpoints from files, safely: weights, or one clear error."""

from convert_weights.reading.checkpoint import Checkpoint as Checkpoint, read as read
from convert_weights.reading.errors import CheckpointError as CheckpointError
from convert_weights.reading.pages import release as release
from convert_weights.reading.settings import Setting as Setting, Settings as Settings
from convert_weights.reading.validation import non_finite as non_finite
