"""Small detectors with random weights, and films for them."""

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.localization import (
  Detector,
  PointDecoding,
  ProposalDecoding,
  SequenceFormat,
  create_localizer,
  describe_detector,
)
from temporal_jax.localization.features import FeatureKind, FilmFeatures

CHANNELS, STRIDE, WINDOW, FPS = 5, 2, 8, 8.0
KIND = FeatureKind(
  CHANNELS, STRIDE, WINDOW, "resnet18", "pooled", "0" * 64, "square", "own"
)
POINTS = {
  "width": 8,
  "num_heads": 2,
  "windows": 3,
  "ranges": [[0, 8], [8, 100]],
  "max_length": 24,
  "embedding_layers": 1,
  "stem_blocks": 1,
  "head_layers": 1,
}
PROPOSALS = {
  "width": 8,
  "proposal_width": 4,
  "map_width": 4,
  "base_layers": 1,
  "groups": 1,
  "bins": 4,
}
CLASS_NAMES = ("pan", "tilt", "zoom")
# Model, overrides, classes, names, sequences, decoding.
KINDS = {
  "pad": (
    *("actionformer", POINTS, 3, CLASS_NAMES, SequenceFormat("pad", 24)),
    PointDecoding(threshold=0.2, most=50, max_segments=40, min_score=0.05),
  ),
  "resample": (
    *("actionformer", POINTS, 3, CLASS_NAMES, SequenceFormat("resample", 24)),
    PointDecoding(class_agnostic=True, voting=0.9, suppression="hard", overlap=0.5),
  ),
  "proposals": (
    *("bmn", PROPOSALS, None, (), SequenceFormat("resample", 12)),
    ProposalDecoding(threshold=0.0),
  ),
  "windows": (
    *("bmn", {**PROPOSALS, "durations": 4}, None, ()),
    SequenceFormat("windows", 12, step=6, every=2.0),
    ProposalDecoding(threshold=0.0, per_second=2.0, low=0.25, high=0.9),
  ),
}


def film(length, seed=0, **changes):
  """A film of `length` positions with random features."""
  values = np.random.default_rng(seed).standard_normal((length, CHANNELS), np.float32)
  facts = {"stride": STRIDE, "window": WINDOW, "fps": FPS, "offset": 0.0}
  return FilmFeatures(
    **{"values": values, **facts, "duration": None, "kind": KIND, **changes}
  )


def tiny_detector(name, *, kind=KIND, **changes):
  """A detector of `KINDS` and the description of it.

  Args:
    name: A name of `KINDS`.
    kind: Kind of its features.
    **changes: "decoding" and "overrides" that replace those of `KINDS`.
  """
  model, overrides, num_classes, class_names, form, decoding = KINDS[name]
  decoding = changes.get("decoding", decoding)
  description = describe_detector(
    model,
    overrides={**overrides, **changes.get("overrides", {})},
    num_classes=num_classes,
    class_names=class_names,
    feature_kind=kind,
    form=form,
    decoding=decoding,
  )
  arguments = {
    key: tuple(map(tuple, value)) if isinstance(value, list) else value
    for key, value in description["overrides"].items()
  }
  network = create_localizer(model, num_classes=num_classes, **arguments)
  inputs = [jnp.zeros((1, form.length, kind.width))]
  if model == "actionformer":
    inputs.append(jnp.ones((1, form.length), bool))
  shapes = jax.eval_shape(network.init, jax.random.key(0), *inputs)
  rng = np.random.default_rng(1)
  variables = jax.tree.map(
    lambda x: 0.5 * rng.standard_normal(x.shape, np.float32), shapes
  )
  variables = {"params": variables["params"], "batch_stats": {}}
  detector = Detector(network, variables, form, decoding, class_names, kind)
  return detector, description
