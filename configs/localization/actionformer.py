r"""Runs of ActionFormer, arXiv:2202.07925.

  python train.py --config=configs/localization/actionformer.py:thumos14 \
    --workdir=runs/actionformer_thumos14 --config.data.root=ANNOTATIONS \
    --config.data.features=FEATURES

ANNOTATIONS is the folder of the data set's files, see docs/annotations.md,
FEATURES the folder of the films' features, or an HDF5 file. EPIC-Kitchens-100
takes two runs, verb_ek100 and noun_ek100, as in table 13 of arXiv:2308.05787,
which `temporal-jax scores actions` joins. Runs on ActivityNet and HACS find
segments without a class; --config.eval.class_scores=scores.npz gives them the
classes of their films, see docs/localization.md.

Where files of features have no stride, window and frames per second, the
published features' are used: I3D for THUMOS14 and ActivityNet, SlowFast for
EPIC-Kitchens. For features of TAdaConv as section C.2 of arXiv:2308.05787
describes them, `temporal-jax extract` writes all three.

Follows libs/core/config.py and configs/*.yaml of
happyharrycn/actionformer_release. They have no HACS: it is as on ActivityNet.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import datasets
from temporal_jax.configs.localization import base

_EPIC = {
  "model.name": "actionformer_epic",
  "data.annotations": "ek100",
  "data.feature_stride": 16.0,
  "data.feature_window": 32.0,
  "data.feature_fps": 30.0,
  "data.distinct": True,
  "data.segment_share": 0.3,
  "loss.normalizer": 250.0,
  "num_epochs": 21.0,
  "eval.thresholds": (0.1, 0.2, 0.3, 0.4, 0.5),
}
# One class, 192 positions whatever a film's length.
_RESAMPLED = {
  "model.name": "actionformer_activitynet",
  "data.class_agnostic": True,
  "data.num_classes": 1,
  "loss.normalizer": 200.0,
  "loss.label_smoothing": 0.1,
  "loss.offset_weight": 2.0,
  "batch_size": 16,
  "optim.lr": 1e-3,
  "num_epochs": 15.0,
}
# --config=localization/actionformer:RUN; changes to the fields that all share.
RUNS: dict[str, dict[str, Any]] = {
  "thumos14": {
    "data.annotations": "thumos14",
    "data.num_classes": 20,
    "data.feature_width": 2048,
    "data.feature_stride": 4.0,
    "data.feature_window": 16.0,
    "data.distinct": True,
    "num_epochs": 35.0,
    "eval.thresholds": (0.3, 0.4, 0.5, 0.6, 0.7),
  },
  "verb_ek100": {**_EPIC, "data.task": "verb", "data.num_classes": 97},
  "noun_ek100": {
    **_EPIC,
    "data.task": "noun",
    "data.num_classes": 300,
    "loss.label_smoothing": 0.1,
  },
  "anet": {
    **_RESAMPLED,
    "data.annotations": "anet",
    "data.feature_stride": 16.0,
    "data.feature_window": 16.0,
    "data.feature_fps": 25.0,
  },
  "hacs": {**_RESAMPLED, "data.annotations": "hacs"},
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  datasets.split_run(run, RUNS, "localization/actionformer")
  config = base.get_config()
  config.num_steps = 0
  config.optim.schedule = "cosine"
  config.optim.end_lr = 1e-8
  config.optim.warmup_epochs = 5.0
  config.optim.weight_decay = 0.05
  config.optim.clip_norm = 1.0
  config.update_from_flattened_dict(RUNS[run])
  return config
