r"""A user's own videos: only the head of a frozen network is trained.

  python train.py --config=configs/probe.py --workdir=runs/probe \
    --config.data.root=DIR --config.init_from=models/atm

The network computes each video once; what it gives is kept on the disk, so that
another head, or the same with more videos, takes seconds. The workdir is then a
network like any other, for `predict`, `serve` or --config.init_from. Videos are
given as in finetune.py, and clips, views and pixels are those of the weights.
"""

import ml_collections

from temporal_jax.configs import finetune


def get_config():
  """Returns the run's config; other fields are explained in base.py."""
  config = finetune.get_config()
  config.unlock()
  config.task = "probe"
  config.probe = probe = ml_collections.ConfigDict()
  # Head that is trained: "average", a linear classifier of the average over
  # frames; "attention" or "temporal_encoder" look at frames one by one.
  probe.head = "average"
  # To choose from by cross-validation: penalties of the squared weights of a
  # linear head, or weight decays of others; () for the usual ones.
  probe.strengths = ()
  probe.folds = 5  # For cross-validation over training videos; 0 for none.
  probe.num_steps = 300  # Steps of AdamW, for heads that are not linear,
  probe.lr = 1e-3  # and its peak.
  probe.cache = ""  # Folder of what the network gives; "" is the user's cache.
  config.lock()
  config.model.overrides.unlock()
  config.from_scratch.unlock()
  return config
