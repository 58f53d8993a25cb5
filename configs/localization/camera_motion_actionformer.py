r"""Camera motions in long films by ActionFormer: minutes on two CPU cores.

  python train.py --config=configs/localization/camera_motion_actionformer.py \
    --workdir=runs/camera_motion_events

Films and features are made in data/ first. Expected: mAP at an intersection
over union of 0.5 and 0.75 of 99 % and 89 %, on films of photographs that are
not in training.
"""

import ml_collections

from temporal_jax.configs.localization import base


def get_config() -> ml_collections.ConfigDict:
  """Returns the run's config; every field is explained in base.py."""
  config = base.get_config()
  use_events(config)
  config.model.name = "actionformer"
  config.model.overrides.update(
    {
      "width": 64,
      "windows": 9,
      "ranges": ((0, 4), (4, 8), (8, 16), (16, 10_000)),
      "max_length": 256,
    }
  )
  config.sequences.length = 256
  config.data.num_classes = 8
  config.batch_size = 8
  config.optim.lr = 1e-3
  return config


def use_events(config: ml_collections.ConfigDict) -> None:
  """Sets the data set, its features and the length of the run."""
  config.data.name = "camera_motion_events"
  # As few frames as the network takes: its windows blur where segments start.
  config.extract.window = 8
  config.extract.stride = 4
  config.data.feature_width = 128
  config.num_steps = 300
  config.optim.warmup_steps = 30
  config.optim.ema_decay = 0.99
  config.optim.ema_warmup = True
  config.eval_every = 100
  config.save_every = 100
