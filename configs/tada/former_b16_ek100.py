r"""TAdaFormer-B/16 on EPIC-Kitchens-100, 8 frames, from K710.

  python train.py --config=configs/tada/former_b16_ek100.py \
    --workdir=runs/tada_former_b16_ek100 --config.data.root=LIST \
    --config.init_from=runs/tada_former_b16_k710

Expected: 49.1 % of actions, 71.0 % of verbs, 60.5 % of nouns (table 10); views
are not stated. Follows table A2 of arXiv:2308.05787. Clips are those of its
section C.2, of videos of 60 frames a second.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("ek100", layer_decay=0.7)
  config.model.name = "tadaformer_b16"
  config.data.num_frames = 8
  config.batch_size = 128
  config.num_epochs = 24.0
  config.optim.lr = 2.5e-4
  config.optim.lr_batch_size = 128
  config.optim.warmup_epochs = 5.0
  return config
