r"""Runs of bLVNet-TAM, arXiv:1912.00869.

  python -m convert_weights blvnet_tam_50 blresnet50.pth \
    models/blvnet_tam_50_ssv1 --num-classes 174
  python train.py --config=configs/blvnet.py:tam_50_ssv1 \
    --workdir=runs/blvnet_tam_50_ssv1 --config.data.root=LIST \
    --config.init_from=models/blvnet_tam_50_ssv1

blvnet_tam_101 starts from blresnet101.pth, both of ImageNet. A first run has
8 x 2 frames, for the big and the little branch; runs with longer clips start
from the run before and are shorter.

RGB+Flow of table 2 are two runs whose scores are averaged, each tested by 10
clips x 3 crops of 256 pixels; how much each counts is not stated. The run of
optical flow reads folders of pictures 00001_x.jpg and 00001_y.jpg, 5 pairs
per frame, and starts from a stem of 10 channels:

  python -m convert_weights blvnet_tam_101 blresnet101.pth models/flow \
    --num-classes 174 --channels 10
  python train.py --config=configs/blvnet.py:tam_101_flow_ssv2 \
    --workdir=runs/flow --config.data.root=LIST --config.init_from=models/flow
  python train.py --config=configs/blvnet.py:tam_101_ssv2 \
    --workdir=runs/rgb --config.data.root=LIST --config.init_from=models/rgb \
    --config.eval.num_clips=10 --config.eval.num_crops=3 \
    --config.eval.crop_size=256
  temporal-jax scores combine both.npz runs/rgb/stage_4 runs/flow/stage_4

Follows section 4.1 of arXiv:1912.00869 and, where that is silent, the code in
IBM/bLVNet-TAM.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets


def _stages(*pairs: int, lr: float) -> tuple[dict[str, Any], ...]:
  """Returns `config.stages`: the first run, then one for each longer clip.

  Args:
    *pairs: Frames of the big branch in each, 8 first.
    lr: Learning rate of all but the first.
  """
  first, *others = ({"data.num_frames": 2 * count} for count in pairs)
  shorter = {
    "num_epochs": 25.0,
    "optim.lr": lr,
    "optim.schedule": "multistep",
    "optim.milestones": (10, 20),
  }
  return first, *(frames | shorter for frames in others)


# --config=blvnet:RUN; changes to the fields that all share.
RUNS: dict[str, dict[str, Any]] = {
  "tam_50_k400": {
    "stages": _stages(8, 16, 24, lr=0.005),
    "eval.short_side": 256,
    "eval.crop_size": 256,
    "eval.num_clips": 3,
    "eval.num_crops": 3,
  },
  "tam_50_mit": {
    "stages": _stages(8, 16, lr=0.005),
    # Its proportions are not kept, in training and in tests (appendix B).
    "data.canvas": (256, 256),
    "eval.stretch": (256, 256),
  },
  "tam_50_ssv1": {"stages": _stages(8, 16, lr=0.01)},
  "tam_50_ssv2": {"stages": _stages(8, 16, lr=0.01)},
  "tam_101_ssv1": {"stages": _stages(8, 16, 24, 32, lr=0.01)},
  "tam_101_ssv2": {"stages": _stages(8, 16, 24, 32, lr=0.01)},
  # Trained as RGB, as in the code; tested as in the footnote of table 2.
  "tam_101_flow_ssv2": {
    "stages": _stages(8, 16, 24, 32, lr=0.01),
    "data.flow": 5,
    "eval.short_side": 256,
    "eval.crop_size": 256,
    "eval.num_clips": 10,
    "eval.num_crops": 3,
  },
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  network, dataset = datasets.split_run(run, RUNS, "blvnet")
  config = residual_network(dataset, short_side=331 if dataset == "k400" else 256)
  kind, depth = network.split("_")[:2]
  config.model.name = f"blvnet_{kind}_{depth}"
  config.update_from_flattened_dict(RUNS[run])
  return config


def residual_network(
  dataset: str, *, short_side: int = 256
) -> ml_collections.ConfigDict:
  """Returns the config that all runs share, with 8 x 2 frames."""
  config = base.get_config()
  datasets.use(config, dataset, short_side=short_side)
  config.num_steps = 0
  config.num_epochs = 50.0
  config.batch_size = 64  # Less, at the same rate, where memory ends.
  config.model.overrides.dropout = 0.5
  config.data.num_frames = 16
  config.data.sampling = "equal_segments"
  config.eval.fusion = "logits"
  # Mirrored clips of Something-Something keep their labels, wrong for six
  # classes. To swap those: flip, and datasets.FLIP_PAIRS as data.flip_pairs.
  flip = "flip(keep_labels=True)" if config.data.flip_pairs else "flip"
  config.data.flip_pairs = ()
  config.data.augment = (
    f"multi_scale_crop(scales=(1, 0.875, 0.75, 0.66), positions=13)|{flip}|normalize"
  )
  config.optim.name = "sgd"
  config.optim.lr = 0.01
  # The code's; the paper's steps at epochs 10 and 20 are for the later runs.
  config.optim.schedule = "cosine_by_epoch"
  config.optim.momentum = 0.9
  config.optim.weight_decay = 5e-4
  config.optim.decay_vectors = True
  config.optim.clip_norm = 0.0
  return config
