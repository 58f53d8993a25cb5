r"""TAdaFormer-B/16 on Something-Something v1, 16 frames, from CLIP.

  python -m convert_weights tadaformer_b16 ViT-B-16.pt \
    models/tada_former_b16_ssv1 --num-classes 174 \
    --set temporal=adaptive_branches
  python train.py --config=configs/tada/former_b16_ssv1.py \
    --workdir=runs/tada_former_b16_ssv1 --config.data.root=LIST \
    --config.init_from=models/tada_former_b16_ssv1

Expected: 59.2 % top-1 with 2 clips x 3 crops, 61.2 % with
--config.data.num_frames=32 (table 9). Follows table A2 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("ssv1", layer_decay=0.7)
  config.model.name = "tadaformer_b16"
  config.data.num_frames = 16
  config.batch_size = 256
  config.num_epochs = 24.0
  config.optim.lr = 5e-4
  config.optim.lr_batch_size = 256
  config.optim.warmup_epochs = 5.0  # The code has 4.
  return config
