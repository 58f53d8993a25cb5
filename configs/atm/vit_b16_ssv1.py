r"""ATM ViT-B/16 on Something-Something v1, 8 frames, from CLIP.

  python -m convert_weights atm_vit_b16 ViT-B-16.pt models/atm_vit_b16_ssv1 \
    --num-classes 174
  python train.py --config=configs/atm/vit_b16_ssv1.py \
    --workdir=runs/atm_vit_b16_ssv1 --config.data.root=LIST \
    --config.init_from=models/atm_vit_b16_ssv1

Expected: 58.1 % top-1 with 1 view, 58.8 % with 2 clips x 3 crops; 59.5 and
60.6 % with --config.data.num_frames=16, 60.9 and 61.5 % with 32 (table A.6).
Follows table A.3 of the supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("ssv1")
  config.model.name = "atm_vit_b16"
  config.data.num_frames = 8
  config.num_epochs = 20.0
  config.optim.lr = 7e-4
  config.optim.layer_decay = 0.7
  return config
