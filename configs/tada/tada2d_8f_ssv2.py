r"""TAda2D-50 on Something-Something v2, 8 frames, from ImageNet-1K.

  python -m convert_weights tada2d_resnet50 resnet50.pth \
    models/tada_tada2d_8f_ssv2 --num-classes 174
  python train.py --config=configs/tada/tada2d_8f_ssv2.py \
    --workdir=runs/tada_tada2d_8f_ssv2 --config.data.root=LIST \
    --config.init_from=models/tada_tada2d_8f_ssv2

Expected: 64.0 % top-1 with 2 clips x 3 crops (table 4 of arXiv:2308.05787).
Follows configs/projects/tada/ssv2/tada2d_8f.yaml of
alibaba-mmai-research/TAdaConv.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("ssv2")
  config.model.name = "tada2d_resnet50"
  config.data.num_frames = 8
  return config
