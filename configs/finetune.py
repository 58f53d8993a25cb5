r"""A user's own videos: a folder class/video.mp4, or a CSV file path,label.

  python train.py --config=configs/finetune.py --workdir=runs/mine \
    --config.data.root=DIR

--config.init_from=runs/demo starts from the weights of a run,
--config.init_from=models/atm from converted ones, and hf://org/name from those
of the hub, of another library with --config.model.name=NAME. The network, its
operator, the size of clips and the statistics of pixels are then the weights':
the fields below without a value. A flag sets another value. Without init_from
the network is the demo's, and starts from scratch. Videos that cannot be read
are left out and listed in bad_train.jsonl and bad_test.jsonl.
"""

from ml_collections import config_dict

from temporal_jax.configs import base


def get_config():
  """Returns the run's config; every field is explained in base.py."""
  config = base.get_config()

  config.num_steps = 200
  config.batch_size = 8

  config.model.name = config_dict.placeholder(str)
  config.model.temporal = config_dict.placeholder(str)
  config.model.overrides.width = config_dict.placeholder(int)
  config.model.overrides.stem = config_dict.placeholder(str)

  config.data.num_frames = config_dict.placeholder(int)
  config.data.image_size = config_dict.placeholder(int)
  config.data.short_side = config_dict.placeholder(int)
  config.from_scratch.update(
    {
      "model": "resnet18",
      "overrides": {"width": 16, "stem": "7x7", "temporal": "aggregation"},
      "clip_shape": (8, 112, 112, 3),
      "trained_with": {"num_frames": 8, "image_size": 112, "short_side": 128},
    }
  )
  config.data.sampling = "segments"  # The whole video, whatever its length.
  config.data.on_error = "skip"
  config.data.augment = "color_jitter(brightness=0.3, contrast=0.3)"

  config.optim.lr = 2e-3
  config.optim.warmup_steps = 20
  config.loss.label_smoothing = 0.1
  config.optim.ema_decay = 0.98

  config.eval_every = 50
  config.save_every = 50
  return config
