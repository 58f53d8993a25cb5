r"""Runs of ViViT, arXiv:2103.15691.

  python -m convert_weights vivit_b16x2_factorised ViT-B_16.npz \
    models/vivit_b16_fe_k400 --num-classes 400
  python train.py --config=configs/vivit.py:b16_fe_k400 \
    --workdir=runs/vivit_b16_fe_k400 --config.data.root=LIST \
    --config.init_from=models/vivit_b16_fe_k400

Runs *_fe, of the factorised encoder (model 2), start from ViT of ImageNet-21k,
whose patches become the middle of tubelets. b16_k400 (model 1) is fine-tuned
from a ViViT, such as google/vivit-b-16x2-kinetics400, for its positions are of
a clip.

Follows scenic/projects/vivit/configs/kinetics{400,600}/*.py of
google-research/scenic; its momentum is not Nesterov's.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets

_LARGE = {"model.name": "vivit_l16x2_factorised", "optim.lr": 0.1}
# --config=vivit:RUN; changes to the fields that all share.
RUNS: dict[str, dict[str, Any]] = {
  "b16_k400": {"model.name": "vivit_b16x2", "optim.lr": 0.1},
  "b16_fe_k400": {},
  "l16_fe_k400": _LARGE,
  "l16_fe_k600": {**_LARGE, "optim.lr": 0.05},
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  _, dataset = datasets.split_run(run, RUNS, "vivit")
  config = base.get_config()
  datasets.use(config, dataset)
  config.num_steps = 0
  config.num_epochs = 30.0
  config.batch_size = 64
  config.model.name = "vivit_b16x2_factorised"
  config.data.num_frames = 32
  config.data.sampling = "dense(2)"
  config.data.augment = (
    "short_side_jitter(230, 340)|random_crop|flip|"
    "color_jitter(brightness=0.125, contrast=0.4, saturation=0.4, hue=0.2, "
    "probability=0.8)|grayscale(0.1)|normalize"
  )
  config.eval.short_side = 256
  config.eval.num_clips = 4
  config.eval.num_crops = 3
  config.optim.name = "sgd"
  config.optim.momentum = 0.9
  config.optim.lr = 0.05
  config.optim.lr_batch_size = 64
  config.optim.warmup_epochs = 2.5
  config.optim.weight_decay = 0.0
  config.optim.clip_norm = 1.0
  config.update_from_flattened_dict(RUNS[run])
  return config
