r"""TAdaConvNeXtV2-S on Kinetics-400, 16 frames, from ImageNet-1K.

  python -m convert_weights tadaconvnextv2_small convnext_small_1k_224_ema.pth \
    models/tada_convnextv2_small_k400 --num-classes 400
  python train.py --config=configs/tada/convnextv2_small_k400.py \
    --workdir=runs/tada_convnextv2_small_k400 --config.data.root=LIST \
    --config.init_from=models/tada_convnextv2_small_k400

Expected: 80.8 % top-1 with 16 frames, 81.9 % with 32
(--config.data.num_frames=32), 82.9 % from ImageNet-21K, 4 clips x 3 crops
(table 7). Follows table A1 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("k400")
  config.model.name = "tadaconvnextv2_small"
  config.model.overrides.drop_path = 0.4
  config.data.num_frames = 16
  config.num_epochs = 100.0
  config.optim.warmup_epochs = 8.0
  return config
