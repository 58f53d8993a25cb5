r"""TAdaFormer-L/14 on Something-Something v2, 16 frames, from CLIP.

  python -m convert_weights tadaformer_l14 ViT-L-14.pt \
    models/tada_former_l14_ssv2 --num-classes 174 \
    --set temporal=adaptive_branches
  python train.py --config=configs/tada/former_l14_ssv2.py \
    --workdir=runs/tada_former_l14_ssv2 --config.data.root=LIST \
    --config.init_from=models/tada_former_l14_ssv2

Expected: 72.4 % top-1 with 2 clips x 3 crops, 73.6 % with
--config.data.num_frames=32 (table 9). Follows table A2 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("ssv2", layer_decay=0.85)
  config.model.name = "tadaformer_l14"
  config.data.num_frames = 16
  config.batch_size = 128
  config.num_epochs = 24.0
  config.optim.lr = 2.5e-4
  config.optim.lr_batch_size = 128
  config.optim.warmup_epochs = 5.0  # The code has 4.
  config.model.overrides.drop_path = 0.0  # The code has 0.2.
  return config
