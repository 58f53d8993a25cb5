r"""Runs of TimeSformer, arXiv:2102.05095.

  python -m convert_weights timesformer_b16 jx_vit_base_p16_224.pth \
    models/timesformer_b16_k400 --num-classes 400
  python train.py --config=configs/timesformer.py:b16_k400 \
    --workdir=runs/timesformer_b16_k400 --config.data.root=LIST \
    --config.init_from=models/timesformer_b16_k400

Runs start from ViT-B/16 of ImageNet-21k, converted for their model.name, or
from any TimeSformer, whose file is converted in the same way.

Follows configs/{Kinetics,SSv2}/TimeSformer_*.yaml of
facebookresearch/TimeSformer. Its batches are of 8 clips; mmaction2 trains with
the same learning rate at 64. Attention over time starts at random before a
matrix of zeros; the authors' copies the attention within frames, and their
first block has no zeros.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets

_JITTER = "short_side_jitter({})|random_crop|flip|normalize"
_HIGH = {
  "model.name": "timesformer_b16_448",
  "data.num_frames": 16,
  "data.image_size": 448,
  "data.short_side": 512,
  "data.canvas": (512, 683),
  "data.augment": _JITTER.format("448, 512"),
  "eval.short_side": 448,
}
_LONG = {"model.name": "timesformer_b16_96f"}
# --config=timesformer:RUN; changes to the fields that all share.
RUNS: dict[str, dict[str, Any]] = {
  "b16_k400": {},
  "b16_k600": {},
  "b16_ssv2": {},
  "b16_joint_k400": {"model.name": "timesformer_b16_joint"},
  "b16_space_k400": {"model.name": "timesformer_b16_space"},
  "b16_448_k400": {**_HIGH, "data.sampling": "slowfast_clips(16)"},
  "b16_96f_k400": {
    **_LONG,
    "data.num_frames": 96,
    "data.sampling": "slowfast_clips(4)",
  },
  "b16_64f_ssv2": {**_LONG, "data.num_frames": 64},
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  _, dataset = datasets.split_run(run, RUNS, "timesformer")
  config = base.get_config()
  datasets.use(config, dataset)
  config.num_steps = 0
  config.num_epochs = 15.0
  config.batch_size = 8
  config.model.name = "timesformer_b16"
  config.model.overrides.drop_path = 0.1
  config.data.num_frames = 8
  config.data.sampling = "slowfast_clips(32)"
  config.data.augment = _JITTER.format("256, 320")
  if dataset in datasets.SOMETHING_SOMETHING:
    config.data.sampling = "rounded_segments('inside')"
    config.data.augment = config.data.augment.replace("|flip", "")
    config.data.flip_pairs = ()  # It does not flip.
  config.eval.short_side = 224
  config.eval.num_crops = 3
  config.eval.crop_rule = "rounded_up"
  config.eval.fusion = "logits"
  config.optim.name = "sgd"
  config.optim.momentum = 0.9
  config.optim.lr = 0.005
  config.optim.lr_batch_size = 8
  config.optim.schedule = "multistep"
  config.optim.milestones = (11, 14)
  config.optim.weight_decay = 1e-4
  config.optim.decay_vectors = True
  config.optim.clip_norm = 0.0
  config.update_from_flattened_dict(RUNS[run])
  return config
