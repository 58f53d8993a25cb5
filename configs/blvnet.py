"""What the runs of bLVNet-TAM have in common: section 4.1 of the paper.

Where that is silent, the code in IBM/bLVNet-TAM. A first run has 8 x 2 frames,
for the big and the little branch; those of longer clips start from the run
before and are shorter.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets


def network(dataset: str, *, short_side: int = 256) -> ml_collections.ConfigDict:
  """Returns what all runs share, those of the first 8 x 2 frames."""
  config = base.get_config()
  datasets.use(config, dataset, short_side=short_side)
  config.num_steps = 0
  config.num_epochs = 50.0
  config.batch_size = 64  # Less, at the same rate, where memory ends.
  config.model.overrides.dropout = 0.5
  config.data.num_frames = 16
  config.data.sampling = "equal_segments"
  config.eval.fusion = "logits"
  # Mirrored clips of Something-Something keep their labels, wrong for six
  # classes. To swap those: flip, and datasets.FLIP_PAIRS as data.flip_pairs.
  flip = "flip(keep_labels=True)" if config.data.flip_pairs else "flip"
  config.data.flip_pairs = ()
  config.data.augment = (
    f"multi_scale_crop(scales=(1, 0.875, 0.75, 0.66), positions=13)|{flip}|normalize"
  )
  config.optim.name = "sgd"
  config.optim.lr = 0.01
  # The code's; the paper's steps at epochs 10 and 20 are for the later runs.
  config.optim.schedule = "cosine_by_epoch"
  config.optim.momentum = 0.9
  config.optim.weight_decay = 5e-4
  config.optim.decay_vectors = True
  config.optim.clip_norm = 0.0
  return config


def stages(*pairs: int, lr: float) -> tuple[dict[str, Any], ...]:
  """Returns `config.stages`: the first run, then one for each longer clip.

  Args:
    *pairs: Frames of the big branch in each, 8 first.
    lr: Learning rate of all but the first.
  """
  first, *others = ({"data.num_frames": 2 * count} for count in pairs)
  shorter = {
    "num_epochs": 25.0,
    "optim.lr": lr,
    "optim.schedule": "multistep",
    "optim.milestones": (10, 20),
  }
  return first, *(frames | shorter for frames in others)
