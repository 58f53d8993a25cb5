r"""Probes of V-JEPA 2, arXiv:2506.09985, on its frozen encoder.

  python -m convert_weights vjepa2_l16_16f hf://facebook/vjepa2-vitl-fpc64-256 \
    models/vjepa2_l16_16f_ssv2 --num-classes 174
  python train.py --config=configs/vjepa2.py:l16_ssv2 \
    --workdir=runs/vjepa2_l16_ssv2 --config.data.root=LIST \
    --config.init_from=models/vjepa2_l16_16f_ssv2

Only the attentive pooling and the classifier are trained; the encoder is the
authors' or transformers', converted for the run's model.name.

Follows configs/eval/{vitl,vitg-384}/{ssv2,k400}.yaml and
evals/video_classification_frozen/eval.py of facebookresearch/vjepa2, which
train twenty probes at once and report the best; here is one, with a learning
rate and a weight decay from the middle of theirs. Their probe reads the tokens
of 2 clips of a video together, on Kinetics of 8, in training and in tests; here
a clip is read by itself, and a test averages their scores. Their 16 frames are
64 / 15 apart, here 63 / 15, and their erased boxes have noise, here zeros.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets

_GIANT = {"model.name": "vjepa2_g16_384", "data.image_size": 384}
# --config=vjepa2:RUN.
RUNS: dict[str, dict[str, Any]] = {
  "l16_k400": {},
  "l16_ssv2": {},
  "g16_384_k400": _GIANT,
  "g16_384_ssv2": {
    **_GIANT,
    "data.num_frames": 64,
    "data.sampling": "interval(2, fps=0)",
  },
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  _, dataset = datasets.split_run(run, RUNS, "vjepa2")
  config = base.get_config()
  side = RUNS[run].get("data.image_size", 256)
  datasets.use(config, dataset, short_side=side)
  config.num_steps = 0
  config.num_epochs = 20.0
  config.batch_size = 256
  config.model.name = "vjepa2_l16_16f"
  config.data.image_size = side
  config.data.num_frames = 16
  config.data.sampling = "interval(4, fps=0)"
  config.data.augment = (
    "rand_augment('rand-m7-n4-mstd0.5-inc1', fill=(123, 117, 104))|"
    "random_sized_crop(area=(0.08, 1.0), aspect=(0.75, 1.3333))|normalize|"
    "random_erasing(0.25)"
  )
  config.data.flip_pairs = ()  # It does not flip.
  config.eval.num_clips = 2 if dataset in datasets.SOMETHING_SOMETHING else 8
  config.eval.num_crops = 3
  config.optim.lr = 1e-3
  config.optim.lr_batch_size = 256
  config.optim.weight_decay = 0.1
  config.optim.decay_vectors = True
  config.optim.clip_norm = 0.0
  config.optim.trained = (r"(pooling|head)/.*",)
  config.update_from_flattened_dict(RUNS[run])
  return config
