r"""Eight camera motions over photographs: the demo, minutes on two CPU cores.

  python train.py --config=configs/camera_motion.py --workdir=runs/demo

Expected: README.md gives the measured accuracy, with temporal aggregation and,
by --config.model.temporal=none, without it.
"""

from temporal_jax.configs import base


def get_config():
  """Returns the run's config; every field is explained in base.py."""
  config = base.get_config()

  config.num_steps = 650
  config.batch_size = 32

  config.model.name = "resnet18"
  config.model.temporal = "aggregation"
  config.model.overrides.update({"width": 16, "stem": "7x7"})

  config.data.name = "camera_motion"
  config.data.num_frames = 8
  config.data.sampling = "dense"  # Even speed.
  config.data.image_size = 32
  config.data.short_side = 64  # As its clips are, so that any video is seen so.
  config.data.augment = "flip|color_jitter(brightness=0.3, contrast=0.3)"
  config.data.flip_pairs = (
    ("pan left", "pan right"),
    ("rotate clockwise", "rotate counter-clockwise"),
  )

  config.optim.lr = 4e-3
  config.optim.warmup_steps = 65
  config.loss.label_smoothing = 0.1
  config.optim.ema_decay = 0.99

  config.eval_every = 130
  config.save_every = 130
  return config
