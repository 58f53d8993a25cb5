r"""SlowFast-50 8x8 with TAdaConv on Something-Something v2, 32 frames.

  python -m convert_weights slowfast_50_8x8_tada resnet50.pth \
    models/tada_slowfast_8x8_ssv2 --num-classes 174
  python train.py --config=configs/tada/slowfast_8x8_ssv2.py \
    --workdir=runs/tada_slowfast_8x8_ssv2 --config.data.root=LIST \
    --config.init_from=models/tada_slowfast_8x8_ssv2

Expected: 63.9 % top-1 with 2 clips x 3 crops (table 3c of arXiv:2308.05787).
Follows section 5.2 of arXiv:2308.05787, which has the training of TAda2D for
all.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("ssv2")
  config.model.name = "slowfast_50_8x8_tada"
  config.data.num_frames = 32  # Of the fast pathway.
  return config
