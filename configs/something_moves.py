r"""Pairs of events in both orders, minutes on two CPU cores.

  python train.py --config=configs/something_moves.py --workdir=runs/order

Expected: docs/data.md gives the measured accuracy, with temporal aggregation
and with what is not enough.
"""

from temporal_jax.configs import base


def get_config():
  """Returns the run's config; every field is explained in base.py."""
  config = base.get_config()

  config.num_steps = 500
  config.batch_size = 32

  config.model.name = "resnet18"
  config.model.temporal = "aggregation"
  config.model.overrides.update({"width": 16, "stem": "7x7"})

  config.data.name = "something_moves"
  config.data.num_frames = 8
  config.data.sampling = "dense(stride=2)"  # All of the clip's 16 frames.
  config.data.short_side = 36
  config.data.image_size = 32
  config.data.augment = "flip|color_jitter(brightness=0.3, contrast=0.3)"
  config.data.flip_pairs = (
    ("goes left, then right", "goes right, then left"),
    ("left one moves, then right one moves", "right one moves, then left one moves"),
    (
      "turns clockwise, then counter-clockwise",
      "turns counter-clockwise, then clockwise",
    ),
  )

  config.optim.lr = 4e-3
  config.optim.warmup_steps = 50
  config.loss.label_smoothing = 0.1
  config.optim.ema_decay = 0.99

  config.eval_every = 100
  config.save_every = 100
  return config
