r"""TAdaFormer-L/14 on Kinetics-400, 16 frames, from K710.

  python train.py --config=configs/tada/former_l14_k710_k400.py \
    --workdir=runs/tada_former_l14_k710_k400 --config.data.root=LIST \
    --config.init_from=runs/tada_former_l14_k710

Expected: 88.9 % top-1 with 4 clips x 3 crops; 89.5 % with
--config.data.num_frames=32, 89.9 % with 64 (table 8). Follows table A2 of
arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("k400", layer_decay=0.8)
  config.model.name = "tadaformer_l14"
  config.data.num_frames = 16
  config.batch_size = 128
  config.num_epochs = 10.0
  config.optim.lr = 5e-6
  config.optim.lr_batch_size = 128
  config.optim.warmup_epochs = 2.0
  return config
