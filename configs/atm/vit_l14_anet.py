r"""ATM ViT-L/14 on ActivityNet 1.3, 16 frames, from CLIP.

  python -m convert_weights atm_vit_l14 ViT-L-14.pt models/atm_vit_l14_anet \
    --num-classes 200
  python train.py --config=configs/atm/vit_l14_anet.py \
    --workdir=runs/atm_vit_l14_anet --config.data.root=LIST \
    --config.init_from=models/atm_vit_l14_anet

Expected: 90.2 % top-1, 94.7 % mean average precision (table A.8); views are not
stated. Follows table A.3 of the supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("anet")
  config.model.name = "atm_vit_l14"
  config.data.num_frames = 16
  config.num_epochs = 15.0
  config.optim.lr = 2e-4
  config.optim.layer_decay = 0.7
  return config
