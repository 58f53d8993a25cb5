r"""TAdaConvNeXtV2-S on HACS, 8 frames, from K400, for features.

  python train.py --config=configs/tada/convnextv2_small_hacs.py \
    --workdir=runs/tada_convnextv2_small_hacs --config.data.root=LIST \
    --config.init_from=runs/tada_convnextv2_small_k400

Expected: accuracy is not published; its features give 36.1 % average mAP with
BMN (table 12 of arXiv:2308.05787). Follows section C.2 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.convnext("hacs")
  base.finetune_hacs(config)
  config.model.name = "tadaconvnextv2_small"
  config.model.overrides.drop_path = 0.4
  return config
