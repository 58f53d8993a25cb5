r"""ATM ViT-L/14 on Charades, 16 frames, from CLIP.

  python -m convert_weights atm_vit_l14 ViT-L-14.pt \
    models/atm_vit_l14_charades --num-classes 157
  python train.py --config=configs/atm/vit_l14_charades.py \
    --workdir=runs/atm_vit_l14_charades --config.data.root=LIST \
    --config.init_from=models/atm_vit_l14_charades

Expected: 48.5 % mean average precision over whole videos (table A.9); views are
not stated. Follows table A.3 of the supplement of arXiv:2307.08908. A list has
an action's instance, not a video, for each item.
"""

from temporal_jax.configs.atm import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("charades")
  config.model.name = "atm_vit_l14"
  config.data.num_frames = 16
  config.data.sampling = "whole_segments"  # Of the labelled part,
  config.eval.sampling = "rounded_segments"  # of the whole video.
  config.num_epochs = 15.0
  config.optim.lr = 2e-4
  config.optim.layer_decay = 0.7
  # The code's, for instances of one action each; "sigmoid" is for whole videos.
  config.loss.name = "softmax"
  return config
