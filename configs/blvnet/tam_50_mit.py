r"""bLVNet-TAM-50 on Moments in Time, 8 x 2 to 16 x 2 frames.

  python -m convert_weights blvnet_tam_50 blresnet50.pth \
    models/blvnet_tam_50_mit --num-classes 339
  python train.py --config=configs/blvnet/tam_50_mit.py \
    --workdir=runs/blvnet_tam_50_mit --config.data.root=LIST \
    --config.init_from=models/blvnet_tam_50_mit

Expected: 31.2 % top-1 with 8 x 2 frames, 31.4 % with 16 x 2, 1 view (table 4).
Follows section 4.1 of arXiv:1912.00869, and its code where that is silent.
"""

from temporal_jax.configs.blvnet import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.network("mit")
  config.model.name = "blvnet_tam_50"
  config.stages = base.stages(8, 16, lr=0.005)
  config.data.canvas = (256, 256)  # Its proportions are not kept.
  return config
