"""Settings that all networks of the TAda repository share."""


def head(constructor, *names):
  """Classes and dropout of the head; what else it is, is the same for all."""
  settings = constructor["VIDEO"]["HEAD"]
  settings.only("NAME", *names)
  settings.only("ACTIVATION", "softmax")
  return settings["NUM_CLASSES"], settings["DROPOUT_RATE"]


def ignore_settings(constructor):
  """Reads what is the same for all, and ignores what a forward pass does not.

  Raises:
    UnsupportedError: If norms are not torch's own, or blocks non-local.
  """
  backbone, norms = constructor["VIDEO"]["BACKBONE"], constructor["BN"]
  # The class, which the case names; shapes; a name that nothing reads; and the
  # initialisation, in whose place the case has weights.
  backbone.ignore("META_ARCH", "NUM_INPUT_CHANNELS", "NUM_OUT_FEATURES")
  backbone.ignore("NUM_STREAMS", "INITIALIZATION")
  backbone["NONLOCAL"].only("ENABLE", False)
  backbone["NONLOCAL"].ignore("STAGES", "MASK_ENABLE")
  norms.only("EPS", 1e-5)
  norms.only("MOMENTUM", 0.1)
  norms.ignore("WB_LOCK", "FREEZE", "WEIGHT_DECAY", "SYNC")
  frames = ("NUM_INPUT_FRAMES", "slow_frames", "fast_frames")
  constructor.ignore(*frames, "TRAIN_CROP_SIZE")
