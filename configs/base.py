"""Every field of a run that classifies clips, with its default.

The run's file overrides them. The first fields are in every run, see
every_run.py. The fields are locked: a misspelt one fails, and so does a value
of another type.
"""

import ml_collections

from temporal_jax.configs import every_run


def get_config() -> ml_collections.ConfigDict:
  """Returns the defaults."""
  config = every_run.create()
  config.task = "classification"
  # If fields without a value come from the weights' model.json, as in
  # finetune.py: their values without weights; {} elsewhere.
  config.from_scratch = ml_collections.ConfigDict()

  config.model.name = "resnet18"  # See temporal_jax.list_models().
  config.model.temporal = "default"  # "none", "shift", "aggregation", ...
  # Frames of the clips that learned positions are made for, 0 for the clips
  # below: with init_from that run's, if its clips differed; other clips get
  # them interpolated.
  config.model.num_frames = 0
  config.model.image_size = 0
  config.model.activation = ""  # In a ViT's MLPs; "" is the catalog's.
  config.model.remat = False  # Compute blocks again instead of keeping them.
  config.model.freeze_batch_norm = False  # Use its statistics, not the batch's.
  # ILA: the first epoch in which masks are disturbed less, halved every epoch;
  # 0 never.
  config.model.disturbance_decay_epoch = 0

  # Low-rank adapters: a frozen kernel W becomes W + a b; the parameters a and b
  # are "low_rank/.*". A run that is read as a network has the sums.
  config.adapters = ml_collections.ConfigDict()
  config.adapters.rank = 0  # Columns of a, rows of b; 0 without adapters.
  config.adapters.layers = ()  # Regexes of the kernels, as in optim.

  data = config.data
  data.name = ""  # A data set of temporal_jax.data.datasets, or
  data.root = ""  # a folder class/video.mp4, tar files, a CSV file path,label;
  data.annotations = ""  # or, of these, "ssv2" and such: a folder of its files
  data.videos = ""  # whose videos are here; "" for in root too.
  # The manifest that `temporal-jax data check` wrote of these videos, if any:
  # files whose frames have no times are then not decoded again to number them.
  data.manifest = ""
  data.data_dir = "data"  # Folder of the prepared data sets.
  data.frames = ""  # Names of frames in folders, "img_*.jpg"; "" finds them.
  # Pairs of optical flow that make a frame, 2 channels each; 0 for RGB. The
  # pictures are data.frames = "x_*.jpg,y_*.jpg"; "" is "*_x.jpg,*_y.jpg".
  data.flow = 0
  data.train_split = "train"  # A split of `name`; TFDS slices work.
  data.test_split = ""  # "" is "test" of `name`, val or test of `root`.
  data.test_fraction = 0.2  # A share of `root`, where it has no split.
  data.tasks = ()  # For videos with several labels: ("verb", "noun").
  data.num_classes = ()  # There must be, for each task; () for those found.
  data.num_frames = 8  # T.
  data.sampling = "segments"  # Rule that chooses frames, see docs/sampling.md.
  data.stride = 1  # For "dense".
  data.short_side = 0  # Pixels to resize to before the crop; 0 for as it is.
  data.image_size = 224  # Side of the square crop, in pixels.
  # Mean and standard deviation of R, G and B, of values in [0, 1]; () for
  # model.name's, and in finetune.py for the weights'. Of flow one number for
  # all channels or one each; () for 0.5 and 0.226.
  data.pixel_mean = ()
  data.pixel_std = ()
  # Height and width to which whole training frames are stretched for `augment`
  # to crop (it knows their true proportions); () crops on the host at random.
  data.canvas = ()
  # Augmentation of training clips on the device, in this order, see
  # temporal_jax.data.augmentation: "random_sized_crop(area=(0.08, 1))|flip".
  data.augment = ""
  data.flip_pairs = ()  # Classes that mirroring swaps, in pairs.
  # Share of training clips that are drawn with all classes equally often.
  data.balance = 0.0
  data.repeats = 1  # Augmented copies of a training clip in a step.
  data.on_error = "raise"  # A bad video: "raise", "skip" or "mask".
  data.time_limit = 60.0  # Seconds that reading a clip may take.
  data.square_pixels = False  # Whether a video's width is changed to have them.

  # Views of a test video in the final test, see docs/sampling.md; tests during
  # training take one.
  config.eval = evaluation = ml_collections.ConfigDict()
  evaluation.sampling = ""  # "" is data.sampling,
  evaluation.crop_size = 0  # 0 is data.image_size,
  evaluation.short_side = 0  # 0 is data.short_side.
  evaluation.stretch = ()  # Height and width of frames, instead of short_side.
  evaluation.num_clips = 1
  evaluation.num_crops = 1  # Crops of each clip: 1, 3 or 10,
  evaluation.crop_rule = "exact"  # as the papers place them.
  evaluation.fusion = "softmax"  # Averaged scores of the views, or "logits".

  config.mix = mix = ml_collections.ConfigDict()  # Clips of a step, in pairs.
  mix.mixup_alpha = 0.0  # For the Beta distribution; 0 for no mixup,
  mix.cutmix_alpha = 0.0  # or no cutmix.
  mix.probability = 1.0  # That clips are mixed at all.
  mix.switch_probability = 0.5  # For cutmix, where both are on.
  mix.mode = "batch"  # One draw a step, or "pair", one a pair of clips.
  mix.partner = "reversed"  # A clip's: from the batch's other end, or "random".

  loss = config.loss
  loss.name = "softmax"  # Or "sigmoid", of several labels per clip.
  # Weights of the classes in the loss: "balanced", the rarer the heavier; or
  # JSON of a number per class, '{"waving": 3}', others 1; see docs/training.md.
  loss.class_weights = ""
  loss.focal = 0.0  # Exponent of the focal loss; 0 for none.
  loss.alignment = 1.0  # Weight of ILA's alignment loss.

  every_run.lock(config)
  config.from_scratch.unlock()
  return config
