r"""X-ViT-B/16 on Kinetics-600, 16 frames, from ImageNet-21k.

  python -m convert_weights xvit_b16 vit_base_patch16_224_in21k.pth \
    models/xvit_b16_k600 --num-classes 600
  python train.py --config=configs/xvit/b16_k600.py \
    --workdir=runs/xvit_b16_k600 --config.data.root=LIST \
    --config.init_from=models/xvit_b16_k600

Expected: 84.51 % top-1, 96.26 % top-5 with 1 clip x 3 crops, 84.71 and 96.39 %
with 2 x 3 (README of 1adrianb/video-transformers). Follows
configs/Kinetics/xvit_B16_16x16_k600.yaml of 1adrianb/video-transformers.
"""

from temporal_jax.configs.xvit import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.kinetics("k600")
  return config
