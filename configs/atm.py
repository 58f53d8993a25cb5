r"""Runs of ATM, arXiv:2307.08908.

  python -m convert_weights atm_vit_b16 ViT-B-16.pt models/atm_vit_b16_ssv2 \
    --num-classes 174
  python train.py --config=configs/atm.py:vit_b16_ssv2 \
    --workdir=runs/atm_vit_b16_ssv2 --config.data.root=LIST \
    --config.init_from=models/atm_vit_b16_ssv2

ResNets start from resnet18.pth to resnet152.pth of ImageNet-1K, the other ViTs
from ViT-L-14.pt and ViT-L-14-336px.pt of CLIP, EVA from
EVA02_CLIP_L_psz14_s4B.pt and EVA02_CLIP_L_336_psz14_s6B.pt. A list of Charades
has an action's instance, not a video, for each item.

Follows table A.3 of the supplement of arXiv:2307.08908 and, where that is
silent, the code in whwu95/ATM; EVA follows scripts/k400/train_eva_large.sh,
train_eva_large_336.sh and scripts/{ssv1,ssv2}/train_eva_large.sh of that code:
for CLIP's ViT-L the table has 15 epochs on Kinetics and 7e-4 on
Something-Something.
"""

from typing import Any

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


def _vit(*, epochs: float, lr: float, decay: float, frames: int = 8) -> dict[str, Any]:
  """Returns the changes of a transformer's run: its column of table A.3."""
  return {
    "data.num_frames": frames,
    "num_epochs": epochs,
    "optim.lr": lr,
    "optim.layer_decay": decay,
  }


# --config=atm:RUN; changes to the fields of its kind of network.
RUNS: dict[str, dict[str, Any]] = {
  "resnet18_ssv1": {},
  "resnet50_k400": {},
  "resnet50_ssv1": {},
  "resnet50_ssv2": {},
  "resnet101_k400": {},
  "resnet101_ssv1": {},
  "resnet101_ssv2": {},
  "resnet152_k400": {"data.num_frames": 16},
  "vit_b16_k400": _vit(epochs=20.0, lr=3e-4, decay=0.65),
  "vit_b16_ssv1": _vit(epochs=20.0, lr=7e-4, decay=0.7),
  "vit_b16_ssv2": _vit(epochs=20.0, lr=7e-4, decay=0.7),
  "vit_l14_k400": _vit(epochs=15.0, lr=2e-4, decay=0.7),
  "vit_l14_ssv1": _vit(epochs=15.0, lr=7e-4, decay=0.75),
  "vit_l14_ssv2": _vit(epochs=15.0, lr=7e-4, decay=0.75),
  "vit_l14_anet": _vit(epochs=15.0, lr=2e-4, decay=0.7, frames=16),
  "vit_l14_charades": {
    **_vit(epochs=15.0, lr=2e-4, decay=0.7, frames=16),
    "data.sampling": "whole_segments",  # In the labelled part,
    "eval.sampling": "rounded_segments",  # of the whole video.
    # The code's, for instances of one action each; "sigmoid" is for videos.
    "loss.name": "softmax",
  },
  "vit_l14_336_k400": _vit(epochs=15.0, lr=2e-4, decay=0.7, frames=32),
  "eva_l14_k400": _vit(epochs=20.0, lr=2e-4, decay=0.7),
  "eva_l14_ssv1": _vit(epochs=15.0, lr=1e-3, decay=0.75, frames=16),
  "eva_l14_ssv2": _vit(epochs=15.0, lr=1e-3, decay=0.75, frames=16),
  "eva_l14_336_k400": _vit(epochs=20.0, lr=2e-4, decay=0.7),
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  network, dataset = datasets.split_run(run, RUNS, "atm")
  if network.startswith("resnet"):
    config = residual_network(dataset)
  else:
    image_size = 336 if network.endswith("_336") else 224
    config = vision_transformer(dataset, image_size=image_size)
  config.model.name = f"atm_{network}"
  config.update_from_flattened_dict(RUNS[run])
  return config


def residual_network(dataset: str) -> ml_collections.ConfigDict:
  """Returns the config of ResNets, from ImageNet-1K weights.

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
    config.num_epochs = 60.0
    config.optim.milestones = (30, 45, 55)
  else:
    config.num_epochs = 150.0
    config.optim.milestones = (80, 120, 140)
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
  """Returns the config of transformers, from CLIP or EVA-02-CLIP.

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
  config.optim.layer_decay_except = (r"?block\d+/(block_input|mlp_input)/(.*/)?kernel",)
  return config


def _sample(config: ml_collections.ConfigDict, dataset: str, *, num_clips: int) -> None:
  """Sets which frames are taken, and the views of a test.

  Args:
    config: Changed in place.
    dataset: See `datasets.use`.
    num_clips: Clips of a test on Kinetics. A test on Something-Something has
      two; on ActivityNet and Charades, whose views are not stated, it has one
      clip of one crop.
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
