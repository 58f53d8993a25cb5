r"""ATM ViT-L/14 on Something-Something v1, 8 frames, from CLIP.

  python -m convert_weights atm_vit_l14 ViT-L-14.pt models/atm_vit_l14_ssv1 \
    --num-classes 174
  python train.py --config=configs/atm/vit_l14_ssv1.py \
    --workdir=runs/atm_vit_l14_ssv1 --config.data.root=LIST \
    --config.init_from=models/atm_vit_l14_ssv1

Expected: 61.9 % top-1 with 1 view, 62.8 % with 2 clips x 3 crops; 63.3 and
64.0 % with --config.data.num_frames=16 (table A.6). Follows table A.3 of the
supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("ssv1")
  config.model.name = "atm_vit_l14"
  config.data.num_frames = 8
  config.num_epochs = 15.0
  config.optim.lr = 7e-4
  config.optim.layer_decay = 0.75
  return config
