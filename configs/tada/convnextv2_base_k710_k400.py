r"""TAdaConvNeXtV2-B on Kinetics-400, 32 frames, from K710.

  python train.py --config=configs/tada/convnextv2_base_k710_k400.py \
    --workdir=runs/tada_convnextv2_base_k710_k400 --config.data.root=LIST \
    --config.init_from=runs/tada_convnextv2_base_k710

Expected: 86.4 % top-1 with 4 clips x 3 crops (table 8). Follows table A1 of
arXiv:2308.05787. The interval of 32 frames is not stated.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("k400")
  config.model.name = "tadaconvnextv2_base"
  config.model.overrides.drop_path = 0.6
  config.data.num_frames = 32
  config.num_epochs = 30.0
  config.optim.warmup_epochs = 4.0
  return config
