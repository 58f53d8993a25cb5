r"""A detector of segments in your own films.

  python train.py --config=configs/localization/films.py \
    --workdir=runs/detector --config.data.annotations=LIST.csv \
    --config.data.features=FEATURES

LIST.csv has the columns path, start, end and label, see docs/localization.md;
FEATURES is the folder that `temporal-jax extract` wrote. ActionFormer, half as
wide as for THUMOS14 and with moving averages that follow sooner, as own films
are fewer. --config.data.on_error=skip leaves out, and counts, wrong ones.
"""

import ml_collections

from temporal_jax.configs.localization import base


def get_config() -> ml_collections.ConfigDict:
  """Returns the config; every field is explained in base.py."""
  config = base.get_config()
  with config.unlocked():
    config.model.overrides.width = 256
  config.num_steps = 0
  config.num_epochs = 60.0
  config.batch_size = 4
  config.optim.lr = 3e-4
  config.optim.schedule = "cosine"
  config.optim.end_lr = 1e-8
  config.optim.warmup_epochs = 5.0
  config.optim.weight_decay = 0.05
  config.optim.clip_norm = 1.0
  config.optim.ema_warmup = True
  return config
