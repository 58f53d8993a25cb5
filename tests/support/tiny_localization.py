"""Runs of seconds that find segments, for tests/end_to_end.

  --config=tests/support/tiny_localization.py:actionformer

data.annotations and data.features are given there.
"""

from temporal_jax.configs.localization import base


def get_config(network="actionformer"):
  """Returns the run's config."""
  config = base.get_config()
  config.num_steps = 12
  config.batch_size = 4
  config.data.num_threads = 2
  config.optim.lr = 1e-3
  config.optim.warmup_steps = 2
  config.optim.ema_decay = 0.9
  config.eval.thresholds = (0.3, 0.5)
  config.log_every = 5
  config.eval_every = 6
  config.save_every = 4
  config.model.name = network
  if network == "actionformer":
    config.model.overrides.update(
      {
        "width": 8,
        "num_heads": 2,
        "windows": 5,
        "max_length": 32,
        "ranges": ((0, 8), (8, 10_000)),
        "embedding_layers": 1,
        "stem_blocks": 1,
        "head_layers": 2,
      }
    )
    config.sequences.length = 48
    return config
  config.data.class_agnostic = True
  config.data.crop = ()
  config.keep_best = "AUC"
  config.sequences.length = 24
  config.model.overrides.update(
    {"width": 8, "proposal_width": 16, "map_width": 8, "bins": 4, "groups": 2}
  )
  return config
