r"""ATM ViT-L/14-336 on Kinetics-400, 32 frames, from CLIP.

  python -m convert_weights atm_vit_l14_336 ViT-L-14-336px.pt \
    models/atm_vit_l14_336_k400 --num-classes 400
  python train.py --config=configs/atm/vit_l14_336_k400.py \
    --workdir=runs/atm_vit_l14_336_k400 --config.data.root=LIST \
    --config.init_from=models/atm_vit_l14_336_k400

Expected: 88.2 % top-1 with 4 clips x 3 crops (table A.7). Follows table A.3 of
the supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("k400", image_size=336)
  config.model.name = "atm_vit_l14_336"
  config.data.num_frames = 32
  config.num_epochs = 15.0
  config.optim.lr = 2e-4
  config.optim.layer_decay = 0.7
  return config
