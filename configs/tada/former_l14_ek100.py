r"""TAdaFormer-L/14 on EPIC-Kitchens-100, 8 frames, from K710.

  python train.py --config=configs/tada/former_l14_ek100.py \
    --workdir=runs/tada_former_l14_ek100 --config.data.root=LIST \
    --config.init_from=runs/tada_former_l14_k710

Expected: 51.8 % of actions, 71.7 % of verbs, 64.1 % of nouns (table 10); views
are not stated. Follows table A2 of arXiv:2308.05787. Clips are those of its
section C.2, of videos of 60 frames a second.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("ek100", layer_decay=0.85)
  config.model.name = "tadaformer_l14"
  config.data.num_frames = 8
  config.batch_size = 64
  config.num_epochs = 15.0
  config.optim.lr = 1e-4
  config.optim.lr_batch_size = 64
  config.optim.warmup_epochs = 2.5
  return config
