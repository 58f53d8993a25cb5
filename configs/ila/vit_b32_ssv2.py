r"""ILA ViT-B/32 on Something-Something v2, 8 frames, from CLIP.

  python -m convert_weights ila_vit_b32 ViT-B-32.pt models/ila_vit_b32_ssv2 \
    --num-classes 174 --set head=linear --set temporal=alignment_dense
  python train.py --config=configs/ila/vit_b32_ssv2.py \
    --workdir=runs/ila_vit_b32_ssv2 --config.data.root=LIST \
    --config.init_from=models/ila_vit_b32_ssv2

Expected: not published for this network; ViT-B/16 has 65.0 % top-1. Follows
table 1 of the supplement of arXiv:2304.10465.
"""

from temporal_jax.configs.ila import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.something_something()
  config.model.name = "ila_vit_b32"
  config.data.num_frames = 8
  return config
