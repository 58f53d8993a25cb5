r"""ATM ResNet-18 on Something-Something v1, 8 frames, from ImageNet-1K.

  python -m convert_weights atm_resnet18 resnet18.pth models/atm_resnet18_ssv1 \
    --num-classes 174
  python train.py --config=configs/atm/resnet18_ssv1.py \
    --workdir=runs/atm_resnet18_ssv1 --config.data.root=LIST \
    --config.init_from=models/atm_resnet18_ssv1

Expected: 48.2 % top-1 with products and differences, 46.5 % with products,
43.6 % with differences alone (tables A.4 and A.5); views are not stated.
Follows table A.3 of the supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("ssv1")
  config.model.name = "atm_resnet18"
  config.data.num_frames = 8
  config.num_epochs = 60.0
  config.optim.milestones = (30, 45, 55)
  return config
