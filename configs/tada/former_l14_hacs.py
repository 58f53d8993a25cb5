r"""TAdaFormer-L/14 on HACS, 8 frames, from K400, for features.

  python train.py --config=configs/tada/former_l14_hacs.py \
    --workdir=runs/tada_former_l14_hacs --config.data.root=LIST \
    --config.init_from=runs/tada_former_l14_k400

Expected: accuracy is not published; its features give 34.1 % average mAP with
BMN (table 12 of arXiv:2308.05787). Follows section C.2 of arXiv:2308.05787.
"""

from temporal_jax.configs.tada import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.transformer("hacs", layer_decay=0.85)
  base.finetune_hacs(config)
  config.model.name = "tadaformer_l14"
  return config
