r"""TAda2D-50 on Kinetics-400, 8 frames 8 apart, from ImageNet-1K.

  python -m convert_weights tada2d_resnet50 resnet50.pth \
    models/tada_tada2d_8x8_k400 --num-classes 400
  python train.py --config=configs/tada/tada2d_8x8_k400.py \
    --workdir=runs/tada_tada2d_8x8_k400 --config.data.root=LIST \
    --config.init_from=models/tada_tada2d_8x8_k400

Expected: 76.7 % top-1 with 10 clips x 3 crops (table 4 of arXiv:2308.05787).
Follows configs/projects/tada/k400/tada2d_8x8.yaml of
alibaba-mmai-research/TAdaConv.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("k400")
  config.model.name = "tada2d_resnet50"
  config.data.num_frames = 8
  config.data.sampling = "interval(8)"
  return config
