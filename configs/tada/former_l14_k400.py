r"""TAdaFormer-L/14 on Kinetics-400, 16 frames, from CLIP.

  python -m convert_weights tadaformer_l14 ViT-L-14.pt \
    models/tada_former_l14_k400 --num-classes 400
  python train.py --config=configs/tada/former_l14_k400.py \
    --workdir=runs/tada_former_l14_k400 --config.data.root=LIST \
    --config.init_from=models/tada_former_l14_k400

Expected: 87.6 % top-1 with 4 clips x 3 crops (table 8). Follows table A2 of
arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("k400", layer_decay=0.85)
  config.model.name = "tadaformer_l14"
  config.data.num_frames = 16
  config.batch_size = 128
  config.num_epochs = 24.0
  config.optim.lr = 2e-5
  config.optim.lr_batch_size = 128
  config.optim.warmup_epochs = 5.0
  return config
