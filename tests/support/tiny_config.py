"""A run of seconds, for tests/end_to_end; data.root is given there."""

from temporal_jax.configs import base


def get_config():
  """Returns the run's config."""
  config = base.get_config()
  config.num_steps = 12
  config.batch_size = 4
  config.model.temporal = "aggregation"
  config.model.overrides.update({"width": 4, "stage_sizes": (1, 1)})
  config.data.test_fraction = 0.34
  config.data.num_frames = 3
  config.data.image_size = 16
  config.data.num_threads = 2
  config.optim.warmup_steps = 2
  config.optim.ema_decay = 0.9
  config.log_every = 5
  config.eval_every = 6
  config.save_every = 4
  return config
