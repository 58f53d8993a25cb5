r"""Runs of TAdaConv, arXiv:2308.05787.

  python -m convert_weights tadaformer_b16 ViT-B-16.pt \
    models/tada_former_b16_k710 --num-classes 710
  python train.py --config=configs/tada.py:former_b16_k710 \
    --workdir=runs/tada_former_b16_k710 --config.data.root=LIST \
    --config.init_from=models/tada_former_b16_k710
  python train.py --config=configs/tada.py:former_b16_k710_k400 \
    --workdir=runs/tada_former_b16_k710_k400 --config.data.root=LIST \
    --config.init_from=runs/tada_former_b16_k710

Runs on Kinetics start from converted weights: of ImageNet-1K for residual
networks (resnet50.pth; R3D with --inflation mean) and TAdaConvNeXtV2
(convnext_tiny_1k_224_ema.pth, small and base likewise), of CLIP for TAdaFormer
(ViT-B-16.pt, ViT-L-14.pt); *_k710_k400 starts from the run *_k710. So do
residual networks and TAdaFormer on Something-Something, the latter converted
with --set temporal=adaptive_branches; TAdaConvNeXtV2 starts from its run *_k400
there. Runs on EPIC-Kitchens start from *_k710, those on HACS, for features, and
of residual networks from *_k400. Convert for another model.name, model.temporal
or model.overrides with that NAME, --temporal or --set. Only the convolutions
along time of R(2+1)D start at random:

  python -m convert_weights r2plus1d_50_tada resnet50.pth models/tada_r2plus1d

Tables 3c, 10, A5: residual_* train any residual network, by model.name, as
TAdaConvNeXtV2, which section 5 and appendix C have for all. Table 7: weights of
ImageNet-21K are convnext_{small,base}_22k_224.pth.

Table 6: from ImageNet, TAdaFormer is tadaformer_b16_imagenet, converted from
ViT-B_16.npz or timm's vit_base_patch16_224, and its runs take
--config.model.name=tadaformer_b16_imagenet. From CLIP and K710, former_b16_ssv2
takes --config.init_from=runs/tada_former_b16_k710: the branch of each block
becomes the first of two.

Table 11: former_*_text_* train CLIP's text tower too, on the names of the
classes; then temporal-jax zeroshot --annotations ucf101 --root LISTS --videos
VIDEOS --model runs/tada_former_b16_text_k400, and hmdb51 likewise.

Follows arXiv:2308.05787: table A1 for TAdaConvNeXtV2, table A2 for TAdaFormer,
section C.2 for HACS and for clips of EPIC-Kitchens (60 frames per second), and
section 5.2, which has the training of TAda2D for all networks that TAdaConv is
put into. TAda2D follows configs/projects/tada/{k400,ssv2}/tada2d_*.yaml of
alibaba-mmai-research/TAdaConv. Where the paper is silent, the code: sampling is
from the whole video on Something-Something, and with TAdaFormer on Kinetics;
otherwise at an interval. The interval of TAdaConvNeXtV2 with 32 frames is not
stated, nor are views on EPIC-Kitchens. Nor is the training with texts, here
table A2's with the code's tenth of the learning rate for the text tower.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets

# In the code's configs RandAugment precedes the crop; nothing reads that.
_AUGMENT = (
  "flip|random_sized_crop(area=(0.08, 1.0), aspect=(0.75, 1.333))|"
  "rand_augment('rand-m9-n4-mstd0.5-inc1', fill={fill})|grayscale(0.2)|normalize"
)


def _convnext(
  *, epochs: float, warmup: float, drop_path: float, frames: int = 16
) -> dict[str, Any]:
  """Returns the changes of a TAdaConvNeXtV2's run: its column of table A1."""
  return {
    "data.num_frames": frames,
    "num_epochs": epochs,
    "optim.warmup_epochs": warmup,
    "model.overrides.drop_path": drop_path,
  }


def _former(
  *,
  batch: int,
  epochs: float,
  lr: float,
  decay: float,
  warmup: float = 5.0,
  frames: int = 16,
) -> dict[str, Any]:
  """Returns the changes of a TAdaFormer's run: its column of table A2."""
  return {
    "data.num_frames": frames,
    "batch_size": batch,
    "num_epochs": epochs,
    "optim.lr": lr,
    "optim.layer_decay": decay,
    "optim.warmup_epochs": warmup,
  }


# Fields of a residual network's run that differ from a TAdaConvNeXtV2's.
_RESIDUAL = {
  "model.name": "tada2d_resnet50",
  "data.num_frames": 8,
  "optim.lr_factors": (),
  "optim.decay_factors": (),
}
_SLOWFAST = {"data.num_frames": 32}  # Frames of the fast pathway.
_SLOWFAST_K400 = {"data.num_frames": 32, "data.sampling": "interval(2)"}
# --config=tada:RUN; changes to the fields of its kind of network.
RUNS: dict[str, dict[str, Any]] = {
  "tada2d_8x8_k400": {"model.name": "tada2d_resnet50"},
  "tada2d_16x5_k400": {
    "model.name": "tada2d_resnet50",
    "batch_size": 64,
    "data.num_frames": 16,
    "data.sampling": "interval(5)",
    "optim.lr": 0.12,
  },
  "tada2d_8f_ssv2": {"model.name": "tada2d_resnet50"},
  "tada2d_16f_ssv2": {
    "model.name": "tada2d_resnet50",
    "batch_size": 64,
    "data.num_frames": 16,
    "optim.lr": 0.24,
  },
  # The decay is table A1's.
  "tada2d_hacs": {"model.name": "tada2d_resnet50", "optim.weight_decay": 0.02},
  "slowonly_k400": {"model.name": "slowonly_50_tada"},
  "slowonly_ssv2": {"model.name": "slowonly_50_tada"},
  "slowfast_4x16_k400": {"model.name": "slowfast_50_4x16_tada", **_SLOWFAST_K400},
  "slowfast_4x16_ssv2": {"model.name": "slowfast_50_4x16_tada", **_SLOWFAST},
  "slowfast_8x8_k400": {"model.name": "slowfast_50_8x8_tada", **_SLOWFAST_K400},
  "slowfast_8x8_ssv2": {"model.name": "slowfast_50_8x8_tada", **_SLOWFAST},
  "r3d_k400": {"model.name": "r3d_50_tada"},
  "r3d_ssv2": {"model.name": "r3d_50_tada"},
  # TAdaConv over space only, and in both convolutions.
  "r2plus1d_k400": {"model.name": "r2plus1d_50_tada"},
  "r2plus1d_ssv2": {"model.name": "r2plus1d_50_tada"},
  "r2plus1d_1d_k400": {"model.name": "r2plus1d_50_tada1d"},
  "r2plus1d_1d_ssv2": {"model.name": "r2plus1d_50_tada1d"},
  "residual_k400": {
    **_RESIDUAL,
    "num_epochs": 100.0,
    "data.sampling": "interval(8)",
    "optim.warmup_epochs": 8.0,
    "eval.num_clips": 10,
  },
  "residual_ssv2": {**_RESIDUAL, "num_epochs": 64.0, "optim.warmup_epochs": 2.5},
  "residual_ek100": {**_RESIDUAL, "num_epochs": 50.0, "optim.warmup_epochs": 5.0},
  "convnextv2_tiny_k400": _convnext(epochs=100.0, warmup=8.0, drop_path=0.2),
  "convnextv2_tiny_k710": _convnext(epochs=100.0, warmup=8.0, drop_path=0.2),
  "convnextv2_tiny_k710_k400": _convnext(epochs=30.0, warmup=4.0, drop_path=0.2),
  "convnextv2_tiny_ssv1": _convnext(epochs=64.0, warmup=2.5, drop_path=0.3),
  "convnextv2_tiny_ssv2": _convnext(epochs=64.0, warmup=2.5, drop_path=0.3),
  "convnextv2_tiny_ek100": _convnext(epochs=50.0, warmup=5.0, drop_path=0.3, frames=8),
  "convnextv2_small_k400": _convnext(epochs=100.0, warmup=8.0, drop_path=0.4),
  "convnextv2_small_k710": _convnext(epochs=100.0, warmup=8.0, drop_path=0.4),
  "convnextv2_small_k710_k400": _convnext(
    epochs=30.0, warmup=4.0, drop_path=0.4, frames=32
  ),
  "convnextv2_small_ssv1": _convnext(epochs=64.0, warmup=2.5, drop_path=0.5),
  "convnextv2_small_ssv2": _convnext(epochs=64.0, warmup=2.5, drop_path=0.5),
  "convnextv2_small_ek100": _convnext(epochs=50.0, warmup=5.0, drop_path=0.5, frames=8),
  "convnextv2_small_hacs": {"model.overrides.drop_path": 0.4},
  "convnextv2_base_k400": _convnext(epochs=100.0, warmup=8.0, drop_path=0.6),
  "convnextv2_base_k710": _convnext(epochs=100.0, warmup=8.0, drop_path=0.6),
  "convnextv2_base_k710_k400": _convnext(
    epochs=30.0, warmup=4.0, drop_path=0.6, frames=32
  ),
  "convnextv2_base_ssv1": _convnext(epochs=64.0, warmup=2.5, drop_path=0.6, frames=32),
  "convnextv2_base_ssv2": _convnext(epochs=64.0, warmup=2.5, drop_path=0.6, frames=32),
  "former_b16_k400": _former(batch=256, epochs=30.0, lr=5e-5, decay=0.7),
  "former_b16_text_k400": _former(batch=256, epochs=30.0, lr=5e-5, decay=0.7),
  "former_b16_text_k710": _former(batch=512, epochs=30.0, lr=1e-4, decay=0.7),
  "former_b16_k710": _former(batch=512, epochs=30.0, lr=1e-4, decay=0.7),
  "former_b16_k710_k400": _former(
    batch=256, epochs=15.0, lr=1e-5, decay=0.7, warmup=2.5
  ),
  "former_b16_ssv1": _former(batch=256, epochs=24.0, lr=5e-4, decay=0.7),
  "former_b16_ssv2": _former(batch=256, epochs=24.0, lr=5e-4, decay=0.7),
  "former_b16_ek100": _former(batch=128, epochs=24.0, lr=2.5e-4, decay=0.7, frames=8),
  "former_l14_k400": _former(batch=128, epochs=24.0, lr=2e-5, decay=0.85),
  "former_l14_text_k400": _former(batch=128, epochs=24.0, lr=2e-5, decay=0.85),
  "former_l14_text_k710": _former(batch=256, epochs=24.0, lr=5e-5, decay=0.8),
  "former_l14_k710": _former(batch=256, epochs=24.0, lr=5e-5, decay=0.8),
  "former_l14_k710_k400": _former(
    batch=128, epochs=10.0, lr=5e-6, decay=0.8, warmup=2.0
  ),
  # The code has stochastic depth of 0.2 in these two.
  "former_l14_ssv1": _former(batch=128, epochs=24.0, lr=2.5e-4, decay=0.85),
  "former_l14_ssv2": _former(batch=128, epochs=24.0, lr=2.5e-4, decay=0.85),
  "former_l14_ek100": _former(
    batch=64, epochs=15.0, lr=1e-4, decay=0.85, warmup=2.5, frames=8
  ),
  "former_l14_hacs": {"optim.layer_decay": 0.85},
}
# Accuracy that is published, but not as top-1 in a table of the catalog.
_ZERO_SHOT = "zero-shot {} % on HMDB51, {} % on UCF101 (table 11)"
_EK100 = "{} % of actions, {} % of verbs, {} % of nouns (table 10)"


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  network, dataset = datasets.split_run(run, RUNS, "tada")
  kind, _, size = network.partition("_")
  starts = {"convnextv2": convnext, "former": transformer, "residual": convnext}
  config = starts.get(kind, residual_network)(dataset)
  if kind in starts:
    config.model.name = f"tada{kind}_{size.removesuffix('_k710')}"
  if size.endswith("_text"):
    compare_with_texts(config)
  if dataset == "hacs":
    finetune_hacs(config)
  config.update_from_flattened_dict(RUNS[run])
  # Rates are those at the batch that the run has.
  config.optim.lr_batch_size = config.batch_size
  return config


def residual_network(dataset: str) -> ml_collections.ConfigDict:
  """Returns the config of TAda2D and of networks that TAdaConv is put into.

  All have the same training strategy (section 5.2); its values are from the
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
  """Returns the config of TAdaConvNeXtV2, from ImageNet-1K (table A1).

  Parameters of the route functions and the head learn faster, and the code
  chooses by name which parameters decay; the paper states neither.
  """
  config = _common(dataset)
  config.batch_size = 512
  config.model.overrides.dropout = 0.5
  config.data.num_frames = 16
  if dataset not in datasets.SOMETHING_SOMETHING:
    config.data.sampling = "interval(5)"
  config.data.augment = _AUGMENT.format(fill=115)
  config.optim.lr = 5e-4
  config.optim.warmup_lr = 1e-6
  config.optim.betas = (0.9, 0.999)
  config.optim.weight_decay = 0.02
  # The code means to give 10 to "dwconv_rf" and "norm_avgpool" as well, by keys
  # that it reads with layer decay only.
  config.optim.lr_factors = (
    (r"?.*/route/(.*bias|expand_bias/kernel)", 10.0),
    (r"?.*/route/.*", 5.0),
    (r"head/(.*/)?bias", 10.0),
    (r"head/(.*/)?kernel", 5.0),
  )
  config.optim.decay_factors = (
    (r"?.*/expand_bias/kernel", 0.0),
    (r"?.*/route/.*norm/scale", 1.0),
    (r"(stem|downsample\d)_norm/scale|.*/scale/scale", 1.0),
  )
  if dataset in datasets.SOMETHING_SOMETHING or dataset == "ek100":
    config.loss.label_smoothing = 0.1  # The code has none.
  if dataset == "ek100":
    _at_sixty_hertz(config)
  _test(config, dataset, num_clips=4, crop_size=256)
  return config


def transformer(dataset: str) -> ml_collections.ConfigDict:
  """Returns the config of TAdaFormer, from CLIP (table A2)."""
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
    (r"?block\d+/(attention_branch|mlp_branch)/.*", 10.0),
    (r"head/.*", 10.0),
  )
  # The class token and the positions come before the first block.
  config.optim.layer_decay_first = (
    r"(patch_embedding|pre_norm)/.*|class_token|position_embedding"
  )
  if dataset in datasets.SOMETHING_SOMETHING:
    # Two branches per block, each after a temporal projection.
    config.model.temporal = "adaptive_branches"
    config.optim.warmup_lr = 1e-8
  if dataset == "ek100":
    _at_sixty_hertz(config)
  _test(config, dataset, num_clips=4, crop_size=224)
  return config


def compare_with_texts(config: ml_collections.ConfigDict) -> None:
  """Sets a TAdaFormer's run up to use CLIP's text tower instead of a head.

  The code's optimizer has these factors; it layer-decays no parameter of texts.
  """
  del config.model.overrides.head_dropout
  config.optim.lr_factors = (
    (r"?visual/block\d+/(attention_branch|mlp_branch)/.*", 10.0),
    (r"text/.*", 0.1),
  )
  config.optim.layer_decay_first = (
    r"visual/((patch_embedding|pre_norm)/.*|class_token|position_embedding)|log_scale"
  )


def finetune_hacs(config: ml_collections.ConfigDict) -> None:
  """Sets the training for features of HACS (section C.2), of any network.

  Only labelled segments are trained on. Weight decay and clips are not stated:
  they stay the network's, as for EPIC-Kitchens.
  """
  config.num_epochs = 30.0
  config.batch_size = 512  # 16 on each of 32 GPUs.
  config.data.num_frames = 8
  config.data.sampling = "interval(8)"
  config.optim.name = "adamw"
  config.optim.lr = 2e-4
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
  """Sets the clips of EPIC-Kitchens: about a second of 60 frames per second."""
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

  The views of EPIC-Kitchens are the code's; for HACS features are wanted, not
  views.
  """
  config.eval.crop_size = crop_size
  config.eval.short_side = crop_size
  if dataset != "hacs":
    config.eval.num_clips = {
      **dict.fromkeys(datasets.SOMETHING_SOMETHING, 2),
      "ek100": 10,
    }.get(dataset, num_clips)
    config.eval.num_crops = 3
