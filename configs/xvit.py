"""What the runs of X-ViT have in common, from weights of ImageNet-21k.

Values are those of the configs in 1adrianb/video-transformers. Section 4.1 of
the paper says 0.05 at batch 128, on Kinetics 0.03, random scales of 0.9 to 1.3,
and on Something-Something label smoothing of 0.3.
"""

import ml_collections

from temporal_jax.configs import base, datasets


def vision_transformer(dataset: str) -> ml_collections.ConfigDict:
  """Returns what all runs share."""
  config = base.get_config()
  datasets.use(config, dataset)
  config.num_steps = 0
  config.batch_size = 64
  config.model.name = "xvit_b16"
  config.data.num_frames = 16
  config.data.sampling = "rounded_segments('borders')"
  config.eval.short_side = 224
  config.eval.num_crops = 3
  config.eval.crop_rule = "rounded_up"
  config.eval.fusion = "logits"
  config.optim.name = "sgd"
  config.optim.momentum = 0.9
  config.optim.schedule = "cosine_whole_run"
  config.optim.warmup_epochs = 5.0
  config.optim.clip_norm = 0.0
  # Biases and norms decay like all else, but for biases of the last layers.
  config.optim.decay_vectors = True
  config.optim.decay_factors = ((r"head/(norm|expand|head)/bias", 0.0),)
  return config


def kinetics(dataset: str) -> ml_collections.ConfigDict:
  """Returns the runs on Kinetics.

  The configs mix within halves of 8 frames (--config.model.temporal=
  mixing_eight, as in the published weights); by default all 16 mix.
  """
  config = vision_transformer(dataset)
  config.num_epochs = 30.0
  config.data.sampling = "interval(16, single='start')"
  config.data.augment = (
    "auto_augment|multi_scale_crop(scales=(1, 0.875, 0.75, 0.66), "
    "positions=13)|flip|normalize"
  )
  config.mix.mixup_alpha = 0.4
  config.mix.partner = "random"
  config.loss.label_smoothing = 0.3
  config.optim.lr = 0.03
  config.optim.lr_batch_size = 64
  config.optim.warmup_lr = 0.01
  config.optim.weight_decay = 1e-5
  return config
