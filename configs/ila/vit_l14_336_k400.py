r"""ILA ViT-L/14-336 on Kinetics-400, 16 frames, from CLIP.

  python -m convert_weights ila_vit_l14_336 ViT-L-14-336px.pt \
    models/ila_vit_l14_336_k400 --num-classes 400
  python train.py --config=configs/ila/vit_l14_336_k400.py \
    --workdir=runs/ila_vit_l14_336_k400 --config.data.root=LIST \
    --config.init_from=models/ila_vit_l14_336_k400

Expected: 88.7 % top-1, 97.8 % top-5 with 4 clips x 3 crops (README of
Francis-Rings/ILA). Follows table 1 of the supplement of arXiv:2304.10465.
"""

from temporal_jax.configs.ila import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.kinetics(image_size=336)
  config.model.name = "ila_vit_l14_336"
  config.data.num_frames = 16
  return config
