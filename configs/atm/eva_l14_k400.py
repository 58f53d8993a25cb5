r"""ATM EVA-L/14 on Kinetics-400, 8 frames, from EVA-02-CLIP.

  python -m convert_weights atm_eva_l14 EVA02_CLIP_L_psz14_s4B.pt \
    models/atm_eva_l14_k400 --num-classes 400
  python train.py --config=configs/atm/eva_l14_k400.py \
    --workdir=runs/atm_eva_l14_k400 --config.data.root=LIST \
    --config.init_from=models/atm_eva_l14_k400

Expected: 88.0 % top-1 with 4 clips x 3 crops (table A.7, Merged-2B). Follows
scripts/k400/train_eva_large.sh of whwu95/ATM; for CLIP's ViT-L table A.3 of the
supplement says 15 epochs.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("k400")
  config.model.name = "atm_eva_l14"
  config.data.num_frames = 8
  config.num_epochs = 20.0
  config.optim.lr = 2e-4
  config.optim.layer_decay = 0.7
  return config
