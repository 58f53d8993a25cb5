r"""bLVNet-TAM-50 on Something-Something v1, 8 x 2 to 16 x 2 frames.

  python -m convert_weights blvnet_tam_50 blresnet50.pth \
    models/blvnet_tam_50_ssv1 --num-classes 174
  python train.py --config=configs/blvnet/tam_50_ssv1.py \
    --workdir=runs/blvnet_tam_50_ssv1 --config.data.root=LIST \
    --config.init_from=models/blvnet_tam_50_ssv1

Expected: 46.4 % top-1 with 8 x 2 frames, 48.4 % with 16 x 2, 1 view (table 1).
Follows section 4.1 of arXiv:1912.00869, and its code where that is silent.
"""

from temporal_jax.configs.blvnet import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.network("ssv1")
  config.model.name = "blvnet_tam_50"
  config.stages = base.stages(8, 16, lr=0.01)
  return config
