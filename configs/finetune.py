r"""A user's own videos: a folder class/video.mp4, or a CSV file path,label.

  python train.py --config=configs/finetune.py --workdir=runs/mine \
    --config.data.root=DIR

--config.init_from=runs/demo starts from the weights of the demo, whose network
this is. Videos that cannot be read are left out and listed in bad_train.jsonl
and bad_test.jsonl.
"""

from configs import base


def get_config():
  """Returns the run's config; every field is explained in base.py."""
  config = base.get_config()

  config.num_steps = 200
  config.batch_size = 8

  config.model.name = "resnet18"
  config.model.temporal = "aggregation"
  config.model.overrides.update({"width": 16, "stem": "7x7"})

  config.data.num_frames = 8
  config.data.sampling = "segments"  # The whole video, whatever its length.
  config.data.short_side = 128
  config.data.image_size = 112
  config.data.on_error = "skip"
  config.data.augment = "color_jitter(brightness=0.3, contrast=0.3)"

  config.optim.lr = 2e-3
  config.optim.warmup_steps = 20
  config.loss.label_smoothing = 0.1
  config.optim.ema_decay = 0.98

  config.save_every = 50
  return config
