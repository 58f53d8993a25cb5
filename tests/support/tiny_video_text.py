"""The smallest sizes of a network of videos and texts, and texts for it."""

import numpy as np

SIZES = {
  "patch_size": 4,
  "width": 64,
  "depth": 1,
  "num_heads": 1,
  "grid": 4,
  "projection": 64,
  "text_width": 16,
  "text_depth": 1,
  "text_heads": 2,
  "vocabulary": 50,
  "context": 6,
  "num_frames": 3,
  "prompt_depth": 1,
}
TEXTS = np.array([[48, 3, 49, 0], [48, 5, 49, 0], [48, 5, 3, 49]])


def make_clip(num_frames=3, rows=16, columns=16):
  """Returns two clips of noise."""
  shape = (2, num_frames, rows, columns, 3)
  return np.random.default_rng(0).standard_normal(shape, np.float32)
