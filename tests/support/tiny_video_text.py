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


def huggingface_config(vocabulary=SIZES["vocabulary"]):
  """Returns the same sizes as a configuration of transformers."""
  import transformers

  width = {"hidden_size": 64, "intermediate_size": 256}
  return transformers.XCLIPConfig(
    text_config={
      **{"hidden_size": 16, "intermediate_size": 64, "vocab_size": vocabulary},
      **{"num_hidden_layers": 1, "num_attention_heads": 2},
      "max_position_embeddings": 6,
    },
    vision_config={
      **width,
      **{f"mit_{name}": value for name, value in width.items()},
      **{"num_hidden_layers": 1, "num_attention_heads": 1},
      **{"mit_num_hidden_layers": 1, "mit_num_attention_heads": 1},
      **{"image_size": 16, "patch_size": 4, "num_frames": 3},
    },
    projection_dim=64,
    prompt_layers=1,
    prompt_num_attention_heads=1,
  )
