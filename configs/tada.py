"""What the runs of TAdaConv's paper have in common: tables A1 and A2.

Where those are silent, the code in alibaba-mmai-research/TAdaConv. Sampling is
that of the code: from the whole video on Something-Something, and with
TAdaFormer on Kinetics; otherwise at an interval.
"""

import ml_collections

from temporal_jax.configs import base, datasets

# The code's configs say that RandAugment precedes the crop; nothing reads that.
_AUGMENT = (
  "flip|random_sized_crop(area=(0.08, 1.0), aspect=(0.75, 1.333))|"
  "rand_augment('rand-m9-n4-mstd0.5-inc1', fill={fill})|grayscale(0.2)|"
  "normalize"
)


def residual_network(dataset: str) -> ml_collections.ConfigDict:
  """Returns what TAda2D shares with the networks that TAdaConv is put into.

  All have the same training strategy (section 5.2); its values are those of the
  code's configs of TAda2D with 8 frames.
  """
  config = _common(dataset)
  config.batch_size = 128
  config.model.overrides.dropout = 0.5
  config.data.num_frames = 8
  config.data.augment = (
    "flip|short_side_jitter(224, 340, rounding='down')|random_crop|normalize"
  )
  config.optim.name = "sgd"
  config.optim.lr_batch_size = 128
  config.optim.momentum = 0.9
  config.optim.weight_decay = 1e-4
  if dataset in datasets.SOMETHING_SOMETHING:
    config.num_epochs = 64.0
    config.optim.lr = 0.48
    config.optim.warmup_epochs = 4.0
    config.optim.warmup_lr = 1e-4
  else:
    config.num_epochs = 100.0
    config.data.sampling = "interval(8)"
    config.optim.lr = 0.24
    config.optim.warmup_epochs = 8.0
    config.optim.warmup_lr = 0.01
  _test(config, dataset, num_clips=10, crop_size=256)
  return config


def convnext(dataset: str) -> ml_collections.ConfigDict:
  """Returns what runs of TAdaConvNeXtV2 share, from ImageNet-1K (table A1).

  Parameters of the route functions and the head learn faster, and what decays
  is told by names in the code, both without a word in the paper.
  """
  config = _common(dataset)
  config.batch_size = 512
  config.model.overrides.dropout = 0.5
  config.data.num_frames = 16
  if dataset not in datasets.SOMETHING_SOMETHING:
    config.data.sampling = "interval(5)"
  config.data.augment = _AUGMENT.format(fill=115)
  config.optim.lr = 5e-4
  config.optim.lr_batch_size = 512
  config.optim.warmup_lr = 1e-6
  config.optim.betas = (0.9, 0.999)
  config.optim.weight_decay = 0.02
  # The code means to give 10 to "dwconv_rf" and "norm_avgpool" as well, by keys
  # that it reads with layer decay only.
  config.optim.lr_factors = (
    (r".*/route/(.*bias|expand_bias/kernel)", 10.0),
    (r".*/route/.*", 5.0),
    (r"head/(.*/)?bias", 10.0),
    (r"head/(.*/)?kernel", 5.0),
  )
  config.optim.decay_factors = (
    (r".*/expand_bias/kernel", 0.0),
    (r".*/route/.*norm/scale", 1.0),
    (r"(stem|downsample\d)_norm/scale|.*/scale/scale", 1.0),
  )
  if dataset == "ek100":
    _at_sixty_hertz(config)
  _test(config, dataset, num_clips=4, crop_size=256)
  return config


def transformer(dataset: str, *, layer_decay: float) -> ml_collections.ConfigDict:
  """Returns what runs of TAdaFormer share, from CLIP (table A2).

  Args:
    dataset: See `datasets.use`.
    layer_decay: Factor of the learning rate from a block to the one before; the
      class token and the positions come before the first.
  """
  config = _common(dataset)
  config.data.num_frames = 16
  config.data.sampling = "nearest_segments"
  config.data.augment = _AUGMENT.format(fill=(123, 117, 104))
  config.model.overrides.head_dropout = 0.5
  config.loss.label_smoothing = 0.1
  config.optim.schedule = "cosine"
  config.optim.end_lr = 1e-6  # The code's, as is the start of the warm-up.
  config.optim.warmup_lr = 1e-6
  config.optim.betas = (0.9, 0.999)
  config.optim.weight_decay = 0.05
  config.optim.ema_decay = 0.9996  # The code's configs leave it out.
  config.optim.ema_warmup = False
  config.optim.lr_factors = (
    (r"block\d+/(attention_branch|mlp_branch)/.*", 10.0),
    (r"head/.*", 10.0),
  )
  config.optim.layer_decay = layer_decay
  config.optim.layer_decay_first = (
    r"(patch_embedding|pre_norm)/.*|class_token|position_embedding"
  )
  if dataset in datasets.SOMETHING_SOMETHING:
    # Two branches a block, each behind a temporal projection.
    config.model.temporal = "adaptive_branches"
    config.optim.warmup_lr = 1e-8
  if dataset == "ek100":
    _at_sixty_hertz(config)
  _test(config, dataset, num_clips=4, crop_size=224)
  return config


def finetune_hacs(config: ml_collections.ConfigDict) -> None:
  """Sets the training for features of HACS (section C.2), of any network.

  Only labelled segments are trained on. Weight decay and clips are not stated:
  they stay the network's and are those of EPIC-Kitchens.
  """
  config.num_epochs = 30.0
  config.batch_size = 512  # 16 on each of 32 GPUs.
  config.data.num_frames = 8
  config.data.sampling = "interval(8)"
  config.optim.name = "adamw"
  config.optim.lr = 2e-4
  config.optim.lr_batch_size = 512
  config.optim.end_lr = 0.0
  config.optim.warmup_epochs = 8.0
  config.optim.warmup_lr = 1e-6


def _common(dataset: str) -> ml_collections.ConfigDict:
  config = base.get_config()
  datasets.use(config, dataset)
  config.num_steps = 0
  if dataset in datasets.SOMETHING_SOMETHING:
    config.data.sampling = "nearest_segments"
  config.optim.schedule = "cosine_whole_run"
  config.optim.clip_norm = 0.0
  return config


def _at_sixty_hertz(config: ml_collections.ConfigDict) -> None:
  """Sets the clips of EPIC-Kitchens: about a second of 60 frames a second."""
  config.data.num_frames = 8
  config.data.sampling = "interval(8, fps=60)"


def _test(
  config: ml_collections.ConfigDict,
  dataset: str,
  *,
  num_clips: int,
  crop_size: int,
) -> None:
  """Sets the views of a test: three crops of some clips.

  Those of EPIC-Kitchens are the code's; of HACS features are wanted, not views.
  """
  config.eval.crop_size = crop_size
  config.eval.short_side = crop_size
  if dataset != "hacs":
    config.eval.num_clips = {
      **dict.fromkeys(datasets.SOMETHING_SOMETHING, 2),
      "ek100": 10,
    }.get(dataset, num_clips)
    config.eval.num_crops = 3
