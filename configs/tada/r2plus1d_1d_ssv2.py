r"""R(2+1)D-50, TAdaConv throughout on Something-Something v2, 8 frames.

  python train.py --config=configs/tada/r2plus1d_1d_ssv2.py \
    --workdir=runs/tada_r2plus1d_1d_ssv2 --config.data.root=LIST

Expected: 63.8 % top-1 with 2 clips x 3 crops (table 3c of arXiv:2308.05787).
Follows section 5.2 of arXiv:2308.05787, which has the training of TAda2D for
all. Its weights are those of ImageNet, which convert_weights does not bring to
R(2+1)D: this starts anew.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("ssv2")
  config.model.name = "r2plus1d_50_tada1d"
  config.data.num_frames = 8
  return config
