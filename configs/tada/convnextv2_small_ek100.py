r"""TAdaConvNeXtV2-S on EPIC-Kitchens-100, 8 frames, from K710.

  python train.py --config=configs/tada/convnextv2_small_ek100.py \
    --workdir=runs/tada_convnextv2_small_ek100 --config.data.root=LIST \
    --config.init_from=runs/tada_convnextv2_small_k710

Expected: 48.9 % of actions, 71.0 % of verbs, 60.2 % of nouns (table 10); views
are not stated. Follows table A1 of arXiv:2308.05787. Clips are those of its
section C.2, of videos of 60 frames a second.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("ek100")
  config.model.name = "tadaconvnextv2_small"
  config.model.overrides.drop_path = 0.5
  config.data.num_frames = 8
  config.num_epochs = 50.0
  config.optim.warmup_epochs = 5.0
  config.loss.label_smoothing = 0.1
  return config
