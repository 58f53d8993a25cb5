r"""Runs of BMN, arXiv:1907.09702, for tables 12, 13 and A6 of arXiv:2308.05787.

  python train.py --config=configs/localization/bmn.py:hacs \
    --workdir=runs/bmn_hacs --config.data.root=ANNOTATIONS \
    --config.data.features=FEATURES

ANNOTATIONS is the folder of the data set's files, see docs/annotations.md,
FEATURES the folder of the films' features, or an HDF5 file. Segments have no
class: AUC is of proposals, and mAP is class-agnostic unless
--config.eval.class_scores gives them classes, as it does in the tables: for
HACS and ActivityNet the scores.npz of a run that classifies whole films, for
EPIC-Kitchens-100 a folder of logits, see docs/localization.md.

Follows section C.2 of arXiv:2308.05787 and, where that is silent, the code in
alibaba-mmai-research/TAdaConv for EPIC-Kitchens-100 and HACS and, for
ActivityNet, configs/localization/bmn of open-mmlab/mmaction2. The code's base
config names a temporal scale of 200 for HACS, the paper 100.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import datasets
from temporal_jax.configs.localization import base

_TADA = {
  "optim.lr": 2e-3,
  "optim.schedule": "cosine_whole_run",
  "optim.warmup_epochs": 1.0,
  "optim.warmup_lr": 1e-5,
  "num_epochs": 10.0,
}
# --config=localization/bmn:RUN; changes to the fields that all share.
RUNS: dict[str, dict[str, Any]] = {
  "anet": {
    "data.annotations": "anet",
    "optim.lr": 1e-3,
    "optim.schedule": "multistep",
    "optim.milestones": (7.0,),
    "optim.clip_norm": 40.0,
    "num_epochs": 9.0,
  },
  "hacs": {**_TADA, "data.annotations": "hacs"},
  # Features of section C.2: every 8 frames of 60 a second, 8 frames of 8.
  "ek100": {
    **_TADA,
    "model.name": "bmn_epic",
    "data.annotations": "ek100",
    "data.feature_stride": 8.0,
    "data.feature_window": 64.0,
    "data.feature_fps": 60.0,
    "eval.thresholds": (0.1, 0.2, 0.3, 0.4, 0.5),
  },
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  datasets.split_run(run, RUNS, "localization/bmn")
  config = base.get_config()
  config.model.name = "bmn"
  config.num_steps = 0
  config.batch_size = 16
  config.data.class_agnostic = True
  config.data.num_classes = 1
  config.data.crop = ()
  config.optim.weight_decay = 1e-4
  config.optim.clip_norm = 0.0
  config.optim.ema_decay = 0.0
  config.keep_best = "AUC"
  config.update_from_flattened_dict(RUNS[run])
  return config
