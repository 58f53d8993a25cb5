r"""bLVNet-TAM-101 on Something-Something v1, 8 x 2 to 32 x 2 frames.

  python -m convert_weights blvnet_tam_101 blresnet101.pth \
    models/blvnet_tam_101_ssv1 --num-classes 174
  python train.py --config=configs/blvnet/tam_101_ssv1.py \
    --workdir=runs/blvnet_tam_101_ssv1 --config.data.root=LIST \
    --config.init_from=models/blvnet_tam_101_ssv1

Expected: 47.8, 49.6, 52.2 and 53.1 % top-1 with 8 x 2, 16 x 2, 24 x 2 and
32 x 2 frames, 1 view (table 1). Follows section 4.1 of arXiv:1912.00869, and
its code where that is silent.
"""

from temporal_jax.configs.blvnet import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.network("ssv1")
  config.model.name = "blvnet_tam_101"
  config.stages = base.stages(8, 16, 24, 32, lr=0.01)
  return config
