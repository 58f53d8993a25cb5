r"""ILA ViT-L/14-336 on Something-Something v2, 16 frames, from CLIP.

  python -m convert_weights ila_vit_l14_336 ViT-L-14-336px.pt \
    models/ila_vit_l14_336_ssv2 --num-classes 174 --set head=linear \
    --set temporal=alignment_dense
  python train.py --config=configs/ila/vit_l14_336_ssv2.py \
    --workdir=runs/ila_vit_l14_336_ssv2 --config.data.root=LIST \
    --config.init_from=models/ila_vit_l14_336_ssv2

Expected: 70.2 % top-1, 91.8 % top-5 with 4 clips x 3 crops (README of
Francis-Rings/ILA). Follows table 1 of the supplement of arXiv:2304.10465.
"""

from temporal_jax.configs.ila import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.something_something(image_size=336)
  config.model.name = "ila_vit_l14_336"
  config.data.num_frames = 16
  return config
