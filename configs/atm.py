"""What the runs of ATM have in common: table A.3 of the paper's supplement.

Where that is silent, the code in whwu95/ATM.
"""

import ml_collections

from temporal_jax.configs import base, datasets

# Frames of Something-Something are stretched to 256 x 320; at the end a random
# share of 8 % to all of it is cropped.
_CROP = (
  "random_sized_crop(area=(0.08, 1.0), aspect=(0.75, 1.3333), swap=0.5, "
  "log_aspect=False, fallback='random')|flip"
)
_MOTIONS = (
  "rand_augment('rand-m7-n4-mstd0.5-inc1', fill=128)|resize(256, 320)|"
  f"{_CROP}|normalize"
)
_SCENES = f"{_CROP}|grayscale(0.2)|normalize"


def residual_network(dataset: str) -> ml_collections.ConfigDict:
  """Returns what runs of ResNets share, from ImageNet-1K weights.

  Their training code is not published; momentum and Nesterov's form of it, and
  that mirrored classes of Something-Something are swapped, are not stated.
  """
  config = base.get_config()
  datasets.use(config, dataset)
  config.num_steps = 0
  config.batch_size = 64
  config.data.num_frames = 8
  config.data.augment = (
    "multi_scale_crop(scales=(1, 0.875, 0.75, 0.66), positions=13)|flip|normalize"
  )
  _sample(config, dataset, num_clips=10)
  if dataset in datasets.SOMETHING_SOMETHING:
    config.eval.num_clips = config.eval.num_crops = 1
  config.optim.name = "sgd"
  config.optim.lr = 0.01
  config.optim.lr_batch_size = 64
  config.optim.schedule = "multistep"
  config.optim.momentum = 0.9
  config.optim.weight_decay = 5e-4
  config.optim.clip_norm = 0.0
  return config


def vision_transformer(
  dataset: str, *, image_size: int = 224
) -> ml_collections.ConfigDict:
  """Returns what runs of transformers share, from CLIP or EVA-02-CLIP.

  The code counts a batch in videos, not in their two copies: 128 of them, and
  half the learning rate of the table, which is for 256.
  """
  config = base.get_config()
  short_side = 256 if image_size == 224 else image_size
  datasets.use(config, dataset, short_side=short_side)
  config.num_steps = 0
  config.batch_size = 256
  config.data.num_frames = 8
  config.data.image_size = image_size
  config.data.repeats = 2
  is_something = dataset in datasets.SOMETHING_SOMETHING
  config.data.augment = _MOTIONS if is_something else _SCENES
  _sample(config, dataset, num_clips=4)
  config.mix.mixup_alpha = 0.8
  config.mix.cutmix_alpha = 1.0
  config.loss.label_smoothing = 0.1
  config.optim.lr_batch_size = 256
  config.optim.schedule = "cosine_inclusive"
  config.optim.end_lr = 1e-6  # The code's; the paper has none.
  config.optim.warmup_epochs = 5.0
  config.optim.betas = (0.9, 0.999)
  config.optim.weight_decay = 0.05
  config.optim.clip_norm = 0.0
  # Weights of temporal modules; their norms are as deep as their blocks.
  config.optim.layer_decay_except = (r"block\d+/(block_input|mlp_input)/(.*/)?kernel",)
  return config


def _sample(config: ml_collections.ConfigDict, dataset: str, *, num_clips: int) -> None:
  """Sets which frames are taken, and the views of a test.

  Args:
    config: Changed in place.
    dataset: See `datasets.use`.
    num_clips: Of a test on Kinetics; on Something-Something it has two, on
      ActivityNet and Charades, whose views are not stated, one of one crop.
  """
  test = config.eval
  if dataset in datasets.SOMETHING_SOMETHING:
    config.data.sampling = "whole_segments"
    test.stretch = (256, 320)
    test.num_clips, test.num_crops = 2, 3
  else:
    config.data.sampling = "rounded_segments"
  if dataset == "k400":
    test.num_clips, test.num_crops = num_clips, 3
  if dataset in ("k400", *datasets.SOMETHING_SOMETHING):
    test.crop_rule = "quarters"
