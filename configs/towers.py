r"""Runs of towers of DINOv2, DINOv3 and SigLIP 2, with TAdaFormer's branches.

  python -m convert_weights dinov2_b14 dinov2_vitb14_pretrain.pth \
    models/dinov2_b14_ssv2 --num-classes 174 --set temporal=adaptive_branches
  python train.py --config=configs/towers.py:dinov2_b14_ssv2 \
    --workdir=runs/towers_dinov2_b14_ssv2 --config.data.root=LIST \
    --config.init_from=models/dinov2_b14_ssv2

Kinetics has one branch per block (--set temporal=adaptive_branch); a frozen
tower has none, and reads class token and mean of the patches (--set
pooling=class_and_mean). Weights of DINOv3 are
dinov3_vitb16_pretrain_lvd1689m-73cec8be.pth, of SigLIP 2 model.safetensors of
google/siglip2-base-patch16-224.

Follows arXiv:2308.05787: table A2 for TAdaFormer-B/16 on CLIP, with 8 frames in
the place of 16 in pairs; nobody has published these runs on other towers, so
the learning rates are a start. The frozen tower follows section 7.2 of
arXiv:2304.07193, a linear classifier on the average of 8 frames, and
dinov2/eval/linear.py of facebookresearch/dinov2, whose launcher takes eight
GPUs. Of the thirteen learning rates there it has one, and only the features of
the last block; momentum there is not Nesterov's. On Something-Something the
paper concatenates the features of the frames, which no run here does.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets, tada

_FRAMES = 8
# --config=towers:RUN; changes to the fields of its kind of run.
RUNS: dict[str, dict[str, Any]] = {
  "dinov2_b14_frozen_k400": {},
  "dinov2_b14_k400": {},
  "dinov2_b14_ssv2": {},
  "dinov2_b14_registers_k400": {},
  "dinov2_b14_registers_ssv2": {},
  "dinov3_b16_k400": {},
  "dinov3_b16_ssv2": {},
  "siglip2_b16_k400": {},
  "siglip2_b16_ssv2": {},
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  tower, dataset = datasets.split_run(run, RUNS, "towers")
  make = frozen_tower if tower.endswith("_frozen") else finetuned_tower
  config = make(dataset)
  config.model.name = tower.removesuffix("_frozen")
  config.update_from_flattened_dict(RUNS[run])
  return config


def finetuned_tower(dataset: str) -> ml_collections.ConfigDict:
  """Returns the config of TAdaFormer's branches on a tower."""
  config = tada.get_config(f"former_b16_{dataset}")
  config.data.num_frames = _FRAMES
  if dataset not in datasets.SOMETHING_SOMETHING:
    config.model.temporal = "adaptive_branch"
  # Layers before the first block, of any tower.
  config.optim.layer_decay_first = (
    r"patch_embedding/.*|class_token|registers|position_embedding"
  )
  return config


def frozen_tower(dataset: str) -> ml_collections.ConfigDict:
  """Returns the config of a linear classifier on a frozen tower."""
  config = base.get_config()
  datasets.use(config, dataset)
  config.num_steps = 12_500
  config.batch_size = 1024  # 128 on each of eight GPUs.
  config.model.overrides.pooling = "class_and_mean"
  config.data.num_frames = _FRAMES
  config.data.sampling = "nearest_segments"
  config.data.augment = "random_sized_crop(area=(0.08, 1.0))|flip|normalize"
  config.optim.name = "sgd"
  config.optim.lr = 4e-2  # 1e-2 for 256 clips.
  config.optim.lr_batch_size = 1024
  config.optim.momentum = 0.9
  config.optim.weight_decay = 0.0
  config.optim.clip_norm = 0.0
  config.optim.frozen = (r"(?!head/).*",)
  return config
