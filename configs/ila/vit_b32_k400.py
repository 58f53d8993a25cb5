r"""ILA ViT-B/32 on Kinetics-400, 8 frames, from CLIP.

  python -m convert_weights ila_vit_b32 ViT-B-32.pt models/ila_vit_b32_k400 \
    --num-classes 400
  python train.py --config=configs/ila/vit_b32_k400.py \
    --workdir=runs/ila_vit_b32_k400 --config.data.root=LIST \
    --config.init_from=models/ila_vit_b32_k400

Expected: 81.3 % top-1, 95.0 % top-5 with 4 clips x 3 crops; 82.4 and 95.8 %
with --config.data.num_frames=16 (README of Francis-Rings/ILA). Follows table 1
of the supplement of arXiv:2304.10465.
"""

from temporal_jax.configs.ila import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.kinetics()
  config.model.name = "ila_vit_b32"
  config.data.num_frames = 8
  return config
