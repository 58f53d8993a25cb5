r"""ATM ResNet-50 on Something-Something v2, 8 frames, from ImageNet-1K.

  python -m convert_weights atm_resnet50 resnet50.pth models/atm_resnet50_ssv2 \
    --num-classes 174
  python train.py --config=configs/atm/resnet50_ssv2.py \
    --workdir=runs/atm_resnet50_ssv2 --config.data.root=LIST \
    --config.init_from=models/atm_resnet50_ssv2

Expected: 65.5 % top-1 with 1 view, 66.1 % with 2 clips; 67.4 and 67.6 % with
--config.data.num_frames=16, 68.4 and 68.5 % with 32 (table A.6). Follows table
A.3 of the supplement of arXiv:2307.08908.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("ssv2")
  config.model.name = "atm_resnet50"
  config.data.num_frames = 8
  config.num_epochs = 60.0
  config.optim.milestones = (30, 45, 55)
  return config
