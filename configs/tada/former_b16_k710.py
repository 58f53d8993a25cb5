r"""TAdaFormer-B/16 on Kinetics-710, 16 frames, from CLIP.

  python -m convert_weights tadaformer_b16 ViT-B-16.pt \
    models/tada_former_b16_k710 --num-classes 710
  python train.py --config=configs/tada/former_b16_k710.py \
    --workdir=runs/tada_former_b16_k710 --config.data.root=LIST \
    --config.init_from=models/tada_former_b16_k710

Expected: not published on K710 itself; its weights give 86.6 % on Kinetics-400
(table 8). Follows table A2 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("k710", layer_decay=0.7)
  config.model.name = "tadaformer_b16"
  config.data.num_frames = 16
  config.batch_size = 512
  config.num_epochs = 30.0
  config.optim.lr = 1e-4
  config.optim.lr_batch_size = 512
  config.optim.warmup_epochs = 5.0
  return config
