r"""TAda2D-50 on HACS, 8 frames, from K400, for features.

  python train.py --config=configs/tada/tada2d_hacs.py \
    --workdir=runs/tada_tada2d_hacs --config.data.root=LIST \
    --config.init_from=runs/tada_tada2d_8x8_k400

Expected: accuracy is not published; its features give 32.3 % average mAP with
BMN (table 12 of arXiv:2308.05787). Follows section C.2 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.residual_network("hacs")
  base.finetune_hacs(config)
  config.model.name = "tada2d_resnet50"
  config.optim.weight_decay = 0.02  # Table A1's.
  return config
