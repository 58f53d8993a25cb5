r"""TAdaFormer-B/16 on Kinetics-400, 16 frames, from K710.

  python train.py --config=configs/tada/former_b16_k710_k400.py \
    --workdir=runs/tada_former_b16_k710_k400 --config.data.root=LIST \
    --config.init_from=runs/tada_former_b16_k710

Expected: 86.6 % top-1 with 4 clips x 3 crops (table 8). Follows table A2 of
arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("k400", layer_decay=0.7)
  config.model.name = "tadaformer_b16"
  config.data.num_frames = 16
  config.batch_size = 256
  config.num_epochs = 15.0
  config.optim.lr = 1e-5
  config.optim.lr_batch_size = 256
  config.optim.warmup_epochs = 2.5
  return config
