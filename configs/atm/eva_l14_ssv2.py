r"""ATM EVA-L/14 on Something-Something v2, 16 frames, from EVA-02-CLIP.

  python -m convert_weights atm_eva_l14 EVA02_CLIP_L_psz14_s4B.pt \
    models/atm_eva_l14_ssv2 --num-classes 174
  python train.py --config=configs/atm/eva_l14_ssv2.py \
    --workdir=runs/atm_eva_l14_ssv2 --config.data.root=LIST \
    --config.init_from=models/atm_eva_l14_ssv2

Expected: 74.6 % top-1 with 2 clips x 3 crops, 73.7 % with
--config.data.num_frames=8 (table A.6, Merged-2B). Follows
scripts/ssv2/train_eva_large.sh of whwu95/ATM; for CLIP's ViT-L table A.3 of the
supplement says 7e-4.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("ssv2")
  config.model.name = "atm_eva_l14"
  config.data.num_frames = 16
  config.num_epochs = 15.0
  config.optim.lr = 1e-3
  config.optim.layer_decay = 0.75
  return config
