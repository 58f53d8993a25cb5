r"""TAdaConvNeXtV2-B on Something-Something v1, 32 frames, from K400.

  python train.py --config=configs/tada/convnextv2_base_ssv1.py \
    --workdir=runs/tada_convnextv2_base_ssv1 --config.data.root=LIST \
    --config.init_from=runs/tada_convnextv2_base_k400

Expected: 60.7 % top-1 by way of ImageNet-21K, 2 clips x 3 crops (table 9).
Follows table A1 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("ssv1")
  config.model.name = "tadaconvnextv2_base"
  config.model.overrides.drop_path = 0.6
  config.data.num_frames = 32
  config.num_epochs = 64.0
  config.optim.warmup_epochs = 2.5
  config.loss.label_smoothing = 0.1  # The code has none.
  return config
