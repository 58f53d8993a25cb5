r"""Runs of VideoMAE, arXiv:2203.12602, and of VideoMAE V2, arXiv:2303.16727.

  python -m convert_weights videomae_b16 checkpoint.pth \
    models/videomae_b16_k400 --num-classes 400
  python train.py --config=configs/videomae.py:b16_k400 \
    --workdir=runs/videomae_b16_k400 --config.data.root=LIST \
    --config.init_from=models/videomae_b16_k400

Runs start from the authors' pre-trained encoders, also MCG-NJU/videomae-base
and such, converted for their model.name; the norm of the average starts anew.
g14_k400 is V2's.

Follows scripts/{kinetics,ssv2}/*/finetune.sh and run_class_finetuning.py of
MCG-NJU/VideoMAE, and scripts/finetune/vit_g_k400_ft.sh of OpenGVLab/VideoMAEv2.
Its clips on Kinetics have 16 frames 64 / 15 apart, here 63 / 15, and in tests
frames 4 apart. Its erased boxes have noise, here zeros; its classifier starts a
thousand times smaller.
"""

from typing import Any

import ml_collections

from temporal_jax.configs import base, datasets


def _size(
  name: str,
  *,
  batch: int,
  lr: float,
  epochs: float,
  drop_path: float = 0.1,
  decay: float = 0.75,
) -> dict[str, Any]:
  """Returns the changes of a run: its script, and the defaults it leaves."""
  return {
    "model.name": name,
    "model.overrides.drop_path": drop_path,
    "batch_size": batch,
    "num_epochs": epochs,
    "optim.lr": lr,
    "optim.layer_decay": decay,
  }


# --config=videomae:RUN; a batch is all GPUs' videos.
RUNS: dict[str, dict[str, Any]] = {
  "s16_k400": _size("videomae_s16", batch=384, lr=5e-4, epochs=150.0),
  "b16_k400": _size("videomae_b16", batch=384, lr=5e-4, epochs=75.0),
  "l16_k400": _size("videomae_l16", batch=128, lr=2e-3, epochs=35.0),
  "h16_k400": _size("videomae_h16", batch=512, lr=1e-3, epochs=50.0, drop_path=0.2),
  "b16_ssv2": _size("videomae_b16", batch=384, lr=5e-4, epochs=30.0),
  "g14_k400": {
    **_size(
      "videomaev2_g14", batch=192, lr=1e-3, epochs=30.0, drop_path=0.2, decay=0.9
    ),
    "optim.weight_decay": 0.1,
  },
}


def get_config(run: str = "") -> ml_collections.ConfigDict:
  """Returns the config of a run; every field is explained in base.py."""
  _, dataset = datasets.split_run(run, RUNS, "videomae")
  is_something = dataset in datasets.SOMETHING_SOMETHING
  config = base.get_config()
  datasets.use(config, dataset)
  config.num_steps = 0
  config.data.num_frames = 16
  config.data.repeats = 2
  config.data.sampling = "mmaction2_segments" if is_something else "interval(4, fps=0)"
  flip = "" if is_something else "flip|"
  config.data.augment = (
    "rand_augment('rand-m7-n4-mstd0.5-inc1', fill=(123, 117, 104))|"
    f"random_sized_crop(area=(0.08, 1.0), aspect=(0.75, 1.3333))|{flip}normalize|"
    "random_erasing(0.25)"
  )
  config.data.flip_pairs = ()  # It does not flip Something-Something.
  config.mix.mixup_alpha = 0.8
  config.mix.cutmix_alpha = 1.0
  config.loss.label_smoothing = 0.1
  config.eval.short_side = 224
  config.eval.num_clips = 2 if is_something else 5
  config.eval.num_crops = 3
  config.optim.lr_batch_size = 256
  config.optim.warmup_epochs = 5.0
  config.optim.warmup_lr = 1e-6
  config.optim.end_lr = 1e-6
  config.optim.betas = (0.9, 0.999)
  config.optim.weight_decay = 0.05
  config.optim.clip_norm = 0.0
  config.update_from_flattened_dict(RUNS[run])
  return config
