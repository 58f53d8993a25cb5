r"""ATM ViT-B/16 on Something-Something v2, 8 frames, from CLIP.

  python -m convert_weights atm_vit_b16 ViT-B-16.pt models/atm_vit_b16_ssv2 \
    --num-classes 174
  python train.py --config=configs/atm/vit_b16_ssv2.py \
    --workdir=runs/atm_vit_b16_ssv2 --config.data.root=LIST \
    --config.init_from=models/atm_vit_b16_ssv2

Expected: 69.4 % top-1 with 1 view, 70.5 % with 2 clips x 3 crops; 70.9 and
71.5 % with --config.data.num_frames=16, 71.6 and 71.9 % with 32 (table A.6).
Follows table A.3 of the supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("ssv2")
  config.model.name = "atm_vit_b16"
  config.data.num_frames = 8
  config.num_epochs = 20.0
  config.optim.lr = 7e-4
  config.optim.layer_decay = 0.7
  return config
