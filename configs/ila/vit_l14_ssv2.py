r"""ILA ViT-L/14 on Something-Something v2, 8 frames, from CLIP.

  python -m convert_weights ila_vit_l14 ViT-L-14.pt models/ila_vit_l14_ssv2 \
    --num-classes 174 --set head=linear --set temporal=alignment_dense
  python train.py --config=configs/ila/vit_l14_ssv2.py \
    --workdir=runs/ila_vit_l14_ssv2 --config.data.root=LIST \
    --config.init_from=models/ila_vit_l14_ssv2

Expected: 67.8 % top-1, 90.5 % top-5 with 4 clips x 3 crops (README of
Francis-Rings/ILA). Follows table 1 of the supplement of arXiv:2304.10465.
"""

from temporal_jax.configs.ila import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.something_something()
  config.model.name = "ila_vit_l14"
  config.data.num_frames = 8
  return config
