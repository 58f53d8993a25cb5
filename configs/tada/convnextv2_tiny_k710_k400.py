r"""TAdaConvNeXtV2-T on Kinetics-400, 16 frames, from K710.

  python train.py --config=configs/tada/convnextv2_tiny_k710_k400.py \
    --workdir=runs/tada_convnextv2_tiny_k710_k400 --config.data.root=LIST \
    --config.init_from=runs/tada_convnextv2_tiny_k710

Expected: not published; from ImageNet-1K alone 79.6 % top-1. Follows table A1
of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("k400")
  config.model.name = "tadaconvnextv2_tiny"
  config.model.overrides.drop_path = 0.2
  config.data.num_frames = 16
  config.num_epochs = 30.0
  config.optim.warmup_epochs = 4.0
  return config
