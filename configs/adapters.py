r"""A frozen transformer or ResNet with adapters, on a user's own videos.

  python train.py --config=configs/adapters.py:low_rank --workdir=runs/mine \
    --config.init_from=models/videomae_b16 --config.data.root=DIR
  python train.py --config=configs/adapters.py:temporal --workdir=runs/mine \
    --config.init_from=models/clip_b16 --config.data.root=DIR
  python train.py --config=configs/adapters.py:low_rank_resnet \
    --workdir=runs/mine --config.init_from=runs/demo --config.data.root=DIR

All else is as in finetune.py: videos, and network and clips, which are the
weights'. "low_rank" is for weights of videos: products of narrow matrices are
added to the kernels of attention and MLPs. "temporal" is for an image tower:
every block gets a temporal adapter (see docs/operators.md), in the place of the
operator that the weights may have. "low_rank_resnet" is "low_rank" for the
convolutions of a ResNet. Only these and the head are trained.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import datasets, finetune

_BLOCK = r"(visual/)?block\d+"
_CONVOLUTIONS = r"stage\d+_block\d+/conv\d/kernel"
# The classifier of another network's name; a video-text network has none.
_HEAD = r"?(head|classifier)/.*"
# --config=adapters:RUN; changes to the fields that all share.
RUNS: dict[str, dict[str, Any]] = {
  "low_rank": {
    "adapters.rank": 8,
    "adapters.layers": (
      rf"{_BLOCK}/attention/(qkv|out)/kernel",
      rf"{_BLOCK}/mlp/(expand|gate|contract)/kernel",
    ),
    "optim.trained": ("low_rank/.*", _HEAD),
  },
  "low_rank_resnet": {
    "adapters.rank": 8,
    "adapters.layers": (_CONVOLUTIONS,),
    "model.freeze_batch_norm": True,
    # The best of 0.001, 0.003 and 0.01 in 200 steps, see docs/few_clips.md.
    "optim.lr": 1e-2,
    "optim.trained": ("low_rank/.*", _HEAD),
  },
  "temporal": {
    "model.temporal": "adapter",
    "optim.trained": (rf"{_BLOCK}/attention_branch/.*", _HEAD),
  },
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  datasets.split_run(run, RUNS, "adapters")
  config = finetune.get_config()
  config.optim.lr = 1e-3
  config.update_from_flattened_dict(RUNS[run])
  return config
