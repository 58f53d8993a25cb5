r"""ATM ResNet-101 on Something-Something v1, 8 frames, from ImageNet-1K.

  python -m convert_weights atm_resnet101 resnet101.pth \
    models/atm_resnet101_ssv1 --num-classes 174
  python train.py --config=configs/atm/resnet101_ssv1.py \
    --workdir=runs/atm_resnet101_ssv1 --config.data.root=LIST \
    --config.init_from=models/atm_resnet101_ssv1

Expected: 54.9 % top-1 with 1 view, 55.8 % with 2 clips; 57.2 and 57.4 % with
--config.data.num_frames=16, 57.9 % and 1 view with 32 (table A.6). Follows
table A.3 of the supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("ssv1")
  config.model.name = "atm_resnet101"
  config.data.num_frames = 8
  config.num_epochs = 60.0
  config.optim.milestones = (30, 45, 55)
  return config
