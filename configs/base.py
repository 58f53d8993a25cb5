"""Every field a run has, once, with its default. A run's own file overrides.

The fields are locked: a misspelt one fails, and so does a value of another
type.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """Returns the defaults."""
  config = ml_collections.ConfigDict()

  config.seed = 0
  config.num_steps = 1000
  config.batch_size = 32  # Clips a step, over all devices.
  config.init_from = ""  # Workdir of a run whose weights to start from.

  config.model = ml_collections.ConfigDict()
  config.model.name = "resnet18"  # See temporal_jax.list_models().
  config.model.temporal = "default"  # "none", "shift", "aggregation", ...
  # What learned positions are made for, 0 for the clips below: with init_from
  # that run's, if its clips differed; other clips get them interpolated.
  config.model.num_frames = 0
  config.model.image_size = 0
  config.model.dtype = ""  # Of activations; "" is bfloat16, float32 on CPU.
  config.model.overrides = ml_collections.ConfigDict()  # Of the model's class.

  config.data = data = ml_collections.ConfigDict()
  data.name = ""  # A data set of temporal_jax.data.datasets, or
  data.root = ""  # a folder class/video.mp4, or a CSV file path,label.
  data.data_dir = "data"  # Where prepared data sets lie.
  data.train_split = "train"  # Of `name`; TFDS slices work.
  data.test_split = "test"
  data.test_fraction = 0.2  # Of `root`, where it does not say.
  data.num_frames = 8  # T.
  data.sampling = "segment"  # Or "dense", frames `stride` apart.
  data.stride = 1
  data.short_side = 0  # Pixels to resize to before the crop; 0 for as it is.
  data.image_size = 224  # Side of the square crop, in pixels.
  data.on_error = "raise"  # A bad video: "raise", "skip" or "mask".
  data.num_threads = 4  # That decode.
  data.flip = False  # Mirror half of the training clips.
  data.flip_pairs = ()  # Classes that mirroring swaps, in pairs.
  data.color_jitter = 0.0  # Strength, 0 to 1.

  config.optim = optim = ml_collections.ConfigDict()
  optim.name = "adamw"  # Or "sgd".
  optim.lr = 1e-3  # Peak, at the batch size above.
  optim.end_lr = 0.0
  optim.warmup_steps = 0
  optim.weight_decay = 0.05
  optim.momentum = 0.9  # Of SGD.
  optim.clip_norm = 1.0  # Largest norm of the gradient; 0 for no limit.
  optim.label_smoothing = 0.0
  optim.ema_decay = 0.0  # Of the averaged weights; 0 keeps none.

  config.mesh = ml_collections.ConfigDict({"data": -1})  # -1: all devices.

  config.log_every = 20  # Steps.
  config.eval_every = 0  # Steps; 0 evaluates at the end only.
  config.save_every = 100  # Steps.
  config.keep_checkpoints = 2

  config.lock()
  config.model.overrides.unlock()  # Its fields are the model's.
  return config
