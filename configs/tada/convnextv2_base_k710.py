r"""TAdaConvNeXtV2-B on Kinetics-710, 16 frames, from ImageNet-1K.

  python -m convert_weights tadaconvnextv2_base convnext_base_1k_224_ema.pth \
    models/tada_convnextv2_base_k710 --num-classes 710
  python train.py --config=configs/tada/convnextv2_base_k710.py \
    --workdir=runs/tada_convnextv2_base_k710 --config.data.root=LIST \
    --config.init_from=models/tada_convnextv2_base_k710

Expected: not published on K710 itself; its weights give 86.4 % on Kinetics-400
(table 8). Follows table A1 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("k710")
  config.model.name = "tadaconvnextv2_base"
  config.model.overrides.drop_path = 0.6
  config.data.num_frames = 16
  config.num_epochs = 100.0
  config.optim.warmup_epochs = 8.0
  return config
