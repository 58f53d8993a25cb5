r"""R(2+1)D-50, TAdaConv over space on Kinetics-400, 8 frames.

  python train.py --config=configs/tada/r2plus1d_k400.py \
    --workdir=runs/tada_r2plus1d_k400 --config.data.root=LIST

Expected: 75.2 % top-1 with 10 clips x 3 crops (table 3c of arXiv:2308.05787).
Follows section 5.2 of arXiv:2308.05787, which has the training of TAda2D for
all. Its weights are those of ImageNet, which convert_weights does not bring to
R(2+1)D: this starts anew.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("k400")
  config.model.name = "r2plus1d_50_tada"
  config.data.num_frames = 8
  config.data.sampling = "interval(8)"
  return config
