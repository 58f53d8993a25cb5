r"""Camera motions in long films by BMN: minutes on two CPU cores.

  python train.py --config=configs/localization/camera_motion_bmn.py \
    --workdir=runs/camera_motion_proposals

Films and features are made in data/ first. Segments have no class: AUC is of
proposals, and so is mAP. Expected: AUC of 84 %, mAP at an intersection over
union of 0.5 and 0.75 of 99 % and 94 %.
"""

import ml_collections

from temporal_jax.configs.localization import base, camera_motion_actionformer


def get_config() -> ml_collections.ConfigDict:
  """Returns the run's config; every field is explained in base.py."""
  config = base.get_config()
  camera_motion_actionformer.use_events(config)
  config.model.name = "bmn"
  # Durations are up to 5.3 s, windows 21.3 s of a film.
  config.model.overrides.update(
    {
      "durations": 16,
      "width": 64,
      "proposal_width": 64,
      "map_width": 32,
      "bins": 16,
    }
  )
  config.sequences.fit = "windows"
  config.sequences.length = 64
  config.sequences.step = 32
  config.data.class_agnostic = True
  config.data.num_classes = 1
  config.data.crop = ()
  config.batch_size = 16
  config.optim.lr = 2e-3
  config.optim.weight_decay = 1e-4
  config.keep_best = "AUC"
  return config
