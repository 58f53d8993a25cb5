"""Fields that every run has, whatever it trains, with their defaults."""

import ml_collections


def create() -> ml_collections.ConfigDict:
  """Returns a config of these fields, to which a task adds its own."""
  config = ml_collections.ConfigDict()

  config.seed = 0
  config.num_steps = 1000  # Updates of the weights; 0 for num_epochs.
  config.num_epochs = 0.0  # Passes over the training data, if num_steps is 0.
  config.batch_size = 32  # Videos per step, over all devices.
  # Weights to start from: folder of convert_weights, another run's workdir, an
  # address hf://org/name (docs/hub.md) or "camera_motion"; the head is taken
  # over by the names of the classes, see docs/data.md.
  config.init_from = ""
  # Runs one after the other, each a dict of changes {"data.num_frames": 16},
  # each from the weights of the one before; () for a single run.
  config.stages = ()

  config.model = ml_collections.ConfigDict()
  config.model.name = ""
  config.model.dtype = ""  # For activations; "" is bfloat16, float32 on CPU.
  config.model.overrides = ml_collections.ConfigDict()  # Class arguments.

  config.data = data = ml_collections.ConfigDict()
  data.on_error = "raise"  # A bad video: "raise" or "skip".
  data.num_threads = 4  # That read.

  config.loss = ml_collections.ConfigDict()
  config.loss.label_smoothing = 0.0

  config.optim = optim = ml_collections.ConfigDict()
  optim.name = "adamw"  # Or "sgd".
  optim.lr = 1e-3  # Peak,
  optim.lr_batch_size = 0  # at this batch size, scaled to others; 0 for any.
  optim.schedule = "cosine"  # See temporal_jax.training.create_schedule.
  optim.end_lr = 0.0  # Scaled to the batch as `lr` is,
  optim.scale_end_lr = True  # and by lr_factors and layer_decay too.
  optim.warmup_lr = 0.0  # At step 0; scaled as `lr` is.
  optim.warmup_steps = 0
  optim.warmup_epochs = 0.0  # If warmup_steps is 0.
  optim.milestones = ()  # For "multistep": epochs after which lr is a tenth.
  optim.momentum = 0.9  # For SGD, which is Nesterov's.
  optim.betas = (0.9, 0.999)  # For AdamW.
  optim.weight_decay = 0.05
  optim.decay_vectors = False  # Whether biases, scales and such decay too.
  # Parameters are matched by regexes on their whole name
  # "block_3/mlp/fc1/kernel"; the first that fits counts, and each must fit one,
  # except after a "?": "?.*/route/.*" is for networks that have such
  # parameters.
  optim.decay_factors = ()  # ((regex, factor of weight_decay), ...)
  optim.lr_factors = ()  # ((regex, factor of lr), ...)
  optim.frozen = ()  # Regexes of frozen parameters, or instead
  optim.trained = ()  # regexes of the only parameters that are trained.
  optim.layer_decay = 1.0  # Factor of lr from a transformer block to the next.
  optim.layer_decay_except = ()  # Regexes of parameters left at 1.
  optim.layer_decay_first = ""  # Regex of layers before the blocks; "": usual.
  optim.accumulate = 1  # Parts of a step's batch, computed one by one.
  optim.clip_norm = 1.0  # Largest norm of the gradient; 0 for no limit.
  optim.ema_decay = 0.0  # Decay of the averaged weights; 0 keeps none.
  optim.ema_warmup = True  # Use a smaller decay during the first steps.

  # Devices on each axis, -1 for all others. Clips go over data and fsdp,
  # parameters over fsdp and tensor.
  config.mesh = mesh = ml_collections.ConfigDict()
  mesh.data = -1
  mesh.fsdp = 1
  mesh.tensor = 1
  # ((regex of parameters, axes of the array's dimensions), ...); () for the
  # rules of temporal_jax.training.parallel.mesh.
  config.sharding = ()

  config.log_every = 20  # Steps.
  config.eval_every = 0  # Steps; 0 evaluates at the end only.
  config.save_every = 100  # Steps.
  config.keep_checkpoints = 2  # The newest ones,
  config.keep_best = "top1"  # and the one best in this test value; "" for none.
  # Evaluations without a better value of keep_best after which the run ends,
  # with the best checkpoint as its network; 0 for never.
  config.stop_after = 0

  # Services that show the values: also "trackio" and "wandb".
  config.observers = ("tensorboard",)
  config.project = ""  # For the last two; "" for their own default.

  return config


def lock(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
  """Locks a config whose task has added its fields; returns it."""
  config.lock()
  config.model.overrides.unlock()  # Its fields are the model's.
  return config
