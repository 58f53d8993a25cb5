r"""X-ViT-B/16 on Kinetics-400, 16 frames, from ImageNet-21k.

  python -m convert_weights xvit_b16 vit_base_patch16_224_in21k.pth \
    models/xvit_b16_k400 --num-classes 400
  python train.py --config=configs/xvit/b16_k400.py \
    --workdir=runs/xvit_b16_k400 --config.data.root=LIST \
    --config.init_from=models/xvit_b16_k400

Expected: 80.2 % top-1, 94.7 % top-5 with 1 clip x 3 crops (table 5 of
arXiv:2106.05968). Follows configs/Kinetics/xvit_B16_16x16_k400.yaml of
1adrianb/video-transformers.
"""

from temporal_jax.configs.xvit import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.kinetics("k400")
  return config
