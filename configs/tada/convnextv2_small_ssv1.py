r"""TAdaConvNeXtV2-S on Something-Something v1, 16 frames, from K400.

  python train.py --config=configs/tada/convnextv2_small_ssv1.py \
    --workdir=runs/tada_convnextv2_small_ssv1 --config.data.root=LIST \
    --config.init_from=runs/tada_convnextv2_small_k400

Expected: 55.6 % top-1 with 16 frames, 58.5 % with 32
(--config.data.num_frames=32), 59.7 % by way of ImageNet-21K, 2 clips x 3 crops
(table 9). Follows table A1 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("ssv1")
  config.model.name = "tadaconvnextv2_small"
  config.model.overrides.drop_path = 0.5
  config.data.num_frames = 16
  config.num_epochs = 64.0
  config.optim.warmup_epochs = 2.5
  config.loss.label_smoothing = 0.1  # The code has none.
  return config
