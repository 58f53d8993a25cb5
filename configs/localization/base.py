"""Every field of a run that finds segments in films, with its default.

The run's file overrides them. The first fields are in every run, see
configs/every_run.py. The fields are locked: a misspelt one fails, and so does a
value of another type.
"""

import ml_collections

from temporal_jax.configs import every_run


def get_config() -> ml_collections.ConfigDict:
  """Returns the defaults."""
  config = every_run.create()
  config.task = "localization"

  config.model.name = "actionformer"  # See temporal_jax.localization.LOCALIZERS.

  data = config.data
  # A CSV file path,start,end,label, see docs/annotations.md; or the name of a
  # data set, whose files are in data.root.
  data.annotations = ""
  data.root = ""
  data.features = ""  # A folder of the films' features, or one HDF5 file.
  # Instead of these one of temporal_jax.data.datasets.FILMS, which is written
  data.name = ""
  data.data_dir = "data"  # here, if it is not there, with features by `extract`.
  data.feature_pattern = ""  # Name of a film's file, "v_{id}.npy"; "" tries some.
  # Settings that the feature files must match, or that they lack; 0 leaves them
  # to the files.
  data.feature_width = 0  # Numbers of a position; --plan needs it.
  data.feature_stride = 0.0  # Frames from one position to the next.
  data.feature_window = 0.0  # Frames that a position sees.
  data.feature_fps = 0.0
  data.task = ""  # "verb" or "noun" of EPIC-Kitchens.
  data.class_agnostic = False  # Whether all segments have one class.
  data.num_classes = 0  # There must be; 0 for those found. --plan needs it.
  data.distinct = False  # Whether segments that a film lists twice count once.
  data.test_fraction = 0.2  # A share of the films, where a CSV file has no split.
  # Part of a film that a training sequence is, drawn at random; () for all of
  # it. A segment stays if at least `segment_share` of it is in the part.
  data.crop = (0.9, 1.0)
  data.segment_share = 0.5

  # Features of the films of `data.name`, as `temporal-jax extract` writes them.
  config.extract = extract = ml_collections.ConfigDict()
  extract.model = "camera_motion"  # Folder of a network, or a bundled one.
  extract.feature = "pooled"
  extract.window = 16  # Frames that a position sees,
  extract.stride = 8  # and from one position to the next.

  # Format of the sequences made of a film; "" and 0 are the catalog's. See
  # temporal_jax.localization.detector.sequence_format.
  config.sequences = sequences = ml_collections.ConfigDict()
  sequences.fit = ""  # "pad", "resample" or "windows".
  sequences.length = 0  # Positions.
  sequences.step = 0  # Positions from one window to the next.
  sequences.every = 0.0  # Positions of the features for one of a sequence.

  # Settings that turn the network's outputs into segments: fields of its
  # decoding, see temporal_jax.localization.detector.decoding_settings; those
  # not here are the catalog's.
  config.decoding = ml_collections.ConfigDict()

  loss = config.loss
  loss.offset_weight = 1.0  # ActionFormer: weight of the segments' part,
  loss.normalizer = 100.0  # first moving average of the positives,
  loss.radius = 1.5  # and distance from a segment's centre, in strides.
  loss.weights = (1.0, 10.0, 1.0)  # BMN: boundaries, regression, classification;
  loss.positive = 0.9  # overlap above which a proposal is good.

  config.eval = evaluation = ml_collections.ConfigDict()
  # Intersections over union.
  evaluation.thresholds = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
  evaluation.max_proposals = 100  # A in AR@A of proposals.
  evaluation.batch_size = 8  # Films at once.
  # Class scores that label segments without a class in tests: a file of the
  # scores of whole films (scores.npz of a run that classifies) or a folder with
  # logits of windows in verb/ and noun/, see docs/localization.md. Without it
  # mAP is class-agnostic.
  evaluation.class_scores = ""

  config.batch_size = 2
  config.optim.lr = 1e-4
  config.optim.ema_decay = 0.999
  config.optim.ema_warmup = False
  config.keep_best = "mAP"

  every_run.lock(config)
  config.decoding.unlock()
  return config
