"""What the runs of ILA have in common: table 1 of the paper's supplement.

Where that is silent, the code in Francis-Rings/ILA.
"""

import ml_collections

from temporal_jax.configs import base, datasets

_CROP = "multi_scale_crop(scales=(1, 0.875, 0.75, 0.66), positions=5)"
# Redrawn for every frame. The code ends with random_erasing(0.25), of which the
# paper says nothing.
_COLOR = (
  "color_jitter(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, "
  "probability=0.8, per_frame=True)|grayscale(0.2)|normalize"
)


def kinetics(image_size: int = 224) -> ml_collections.ConfigDict:
  """Returns the runs on Kinetics-400: all of CLIP's image tower is trained.

  The code leaves that tower alone, trains alignment by 5e-4, the integration of
  frames by 4e-4 and what adds up both branches by 8e-5.
  """
  config = _common("k400", image_size)
  config.num_steps = 50_000  # The code: 50 epochs.
  config.data.augment = f"{_CROP}|flip|{_COLOR}"  # The code does not flip.
  config.optim.lr = 8e-6  # Of CLIP's own parameters.
  config.optim.end_lr = 8e-8
  config.optim.weight_decay = 0.003
  new = r"visual/block\d+/attention_branch/.*|integration/.*|prompt.*"
  config.optim.lr_factors = ((new, 10.0),)
  config.optim.frozen = (r"text/.*",)
  return config


def something_something(image_size: int = 224) -> ml_collections.ConfigDict:
  """Returns the runs on Something-Something v2: CLIP stays as it is.

  There is no prompt but a linear head, and the alignment has two dense 3 x 3
  convolutions, as in the code's branch SSV2; the paper speaks of two more.
  """
  config = _common("ssv2", image_size)
  config.num_steps = 30_000  # The code: 50 epochs.
  config.model.temporal = "alignment_dense"
  config.model.overrides.head = "linear"
  # The paper's table says flip 0.5; the code does not, with six classes that
  # mirroring changes.
  config.data.augment = f"{_CROP}|{_COLOR}"
  config.data.flip_pairs = ()
  config.optim.lr = 5e-4
  config.optim.end_lr = 5e-6
  config.optim.weight_decay = 0.01
  config.optim.frozen = (
    r"visual/(class_token|position_embedding)",
    r"visual/(patch_embedding|pre_norm|norm|projection)/.*",
    r"visual/block\d+/(attention|mlp|norm1|norm2)/.*",
  )
  return config


def _common(dataset: str, image_size: int) -> ml_collections.ConfigDict:
  config = base.get_config()
  short_side = image_size * 256 // 224
  datasets.use(config, dataset, short_side=short_side)
  config.data.sampling = "rounded_segments('inside')"
  config.eval.short_side = image_size
  config.eval.num_clips = 4
  config.eval.num_crops = 3
  config.eval.crop_rule = "halves"
  config.batch_size = 256
  config.data.image_size = image_size
  config.model.disturbance_decay_epoch = 30  # The code's.
  config.mix.mixup_alpha = 0.8
  config.mix.cutmix_alpha = 1.0
  config.mix.partner = "random"
  config.loss.label_smoothing = 0.1
  config.loss.alignment = 1.0
  config.optim.lr_batch_size = 256
  config.optim.schedule = "cosine_drop"
  config.optim.warmup_epochs = 5.0
  config.optim.scale_end_lr = False
  config.optim.betas = (0.9, 0.98)
  config.optim.clip_norm = 0.0
  config.optim.decay_factors = ((r".*/(position|position_embedding)", 0.0),)
  return config
