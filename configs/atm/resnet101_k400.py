r"""ATM ResNet-101 on Kinetics-400, 8 frames, from ImageNet-1K.

  python -m convert_weights atm_resnet101 resnet101.pth \
    models/atm_resnet101_k400 --num-classes 400
  python train.py --config=configs/atm/resnet101_k400.py \
    --workdir=runs/atm_resnet101_k400 --config.data.root=LIST \
    --config.init_from=models/atm_resnet101_k400

Expected: 78.0 % top-1 with 10 clips x 3 crops, 78.8 % with
--config.data.num_frames=16 (table A.7). Follows table A.3 of the supplement of
arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("k400")
  config.model.name = "atm_resnet101"
  config.data.num_frames = 8
  config.num_epochs = 150.0
  config.optim.milestones = (80, 120, 140)
  return config
