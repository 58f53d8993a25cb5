r"""TAdaConvNeXtV2-T on EPIC-Kitchens-100, 8 frames, from K710.

  python train.py --config=configs/tada/convnextv2_tiny_ek100.py \
    --workdir=runs/tada_convnextv2_tiny_ek100 --config.data.root=LIST \
    --config.init_from=runs/tada_convnextv2_tiny_k710

Expected: 47.4 % of actions, 70.4 % of verbs, 58.6 % of nouns; 42.4, 67.1 and
53.7 % from ImageNet-1K (table 10); views are not stated. Follows table A1 of
arXiv:2308.05787. Clips are those of its section C.2, of videos of 60 frames a
second.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("ek100")
  config.model.name = "tadaconvnextv2_tiny"
  config.model.overrides.drop_path = 0.3
  config.data.num_frames = 8
  config.num_epochs = 50.0
  config.optim.warmup_epochs = 5.0
  config.loss.label_smoothing = 0.1
  return config
