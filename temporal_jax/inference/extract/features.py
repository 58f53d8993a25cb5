"""Extracts features of a network: pooled, tokens, logits or a layer's."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from temporal_jax import data, models
from temporal_jax.inference.runtime.placeholder_text import stand_in_texts
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.lookup import lookup
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.inspect.trace import called_once, trace_calls

POOLED, TOKENS, LOGITS = "pooled", "tokens", "logits"

# Equal to no other number in a network: it marks the axis of the clips.
_BATCH = 1009
_AXES_OF_MAPS = 4


class Feature(NamedTuple):
  """A feature that can be extracted.

  Attributes:
    name: Name of the feature.
    shape: Shape of a clip's features.
    path: Path of the module that gives it.
    kind: Name of its class; it may share its path with a module within.
    key: Key of this output among the network's, see `_returned`, if it has one.
  """

  name: str
  shape: tuple[int, ...]
  path: tuple[str, ...] = ()
  kind: str = ""
  key: str | None = None


def clip_shape(saved: SavedModel) -> tuple[int, int, int, int]:
  """Returns the shape (T, S, S, 3) of the clips that a network is tested with.

  Raises:
    ValueError: If they are no pictures.
  """
  saved.check_rgb()
  side = saved.protocol.crop_size
  return (saved.protocol.num_frames, side, side, 3)


def feature_shapes(saved: SavedModel) -> dict[str, tuple[int, ...]]:
  """Returns the shapes of a clip's features, by name.

  "pooled" is the classifier's input, (D,). "tokens" is the last block's output:
  (T, N, D), class token first if there is one, or (T, H, W, C); SlowFast, which
  has two, has no such name. "logits" are those of the classes, (L,), of several
  tasks "logits/verb" and so on; networks that compare with texts have none. The
  others are names of modules that return an array with an axis of clips first
  and are called once. Nothing is computed.

  Args:
    saved: The network.
  """
  return {name: feature.shape for name, feature in _find(saved).items()}


def find_feature(saved: SavedModel, name: str) -> Feature:
  """Returns the features of a name.

  Raises:
    ValueError: If there are none; near names are given.
  """
  return lookup(
    _find(saved),
    name,
    "feature",
    of=saved.name,
    listed_by="inference.feature_shapes",
  )


def create_feature_forward(
  saved: SavedModel, feature: Feature
) -> Callable[[Mapping[str, Any], jax.Array], jax.Array]:
  """Returns `forward(variables, clip) -> features`, a pure function.

  It takes clips (B, T, S, S, 3) uint8, normalises their pixels and returns
  (B, ...) float32.
  """

  def forward(variables: Mapping[str, Any], clip: jax.Array) -> jax.Array:
    if feature.key is None:
      found = _captured(saved, variables, clip, feature)
    else:
      found = _returned(*_apply(saved, variables, clip))[feature.key]
    return found.astype(jnp.float32)

  return forward


def prepare_feature_variables(saved: SavedModel, feature: Feature) -> dict[str, Any]:
  """Returns the variables that `forward` takes.

  Batch norms are folded except where modules are asked for by name: a
  convolution then has its output of training.
  """
  if feature.name in (POOLED, TOKENS) or is_logits(feature.name):
    return models.fold_batch_norm(saved.variables)
  return dict(saved.variables)


def is_logits(name: str) -> bool:
  """Whether features of a name are the logits of a task's classes."""
  return name.split("/")[0] == LOGITS


def logit_classes(saved: SavedModel, name: str) -> tuple[str, ...]:
  """Returns the names of the classes of logits; () where they are not known.

  Args:
    saved: The network.
    name: Name of the feature, see `is_logits`.
  """
  names = saved.class_names or ()
  task = name.partition("/")[2]
  return tuple(names.get(task, ()) if isinstance(names, Mapping) else names)


def _returned(logits: Any, aux: Mapping[str, Any]) -> dict[str, Any]:
  """Returns all that a network returns, by name."""
  by_task = logits if isinstance(logits, Mapping) else {"": logits}
  named = {f"{LOGITS}/{task}".rstrip("/"): values for task, values in by_task.items()}
  return {**aux, **named}


def _apply(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: jax.Array,
  **options: Any,
) -> Any:
  """Applies the network to clips of uint8."""
  pixels = data.normalize(clip, saved.pixels["mean"], saved.pixels["std"])
  inputs = stand_in_texts(saved.network, 1)
  return saved.network.apply(variables, pixels, **inputs, train=False, **options)


def _captured(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: jax.Array,
  feature: Feature,
) -> jax.Array:
  """Returns the first output of a module."""
  _, state = _apply(
    saved,
    variables,
    clip,
    capture_intermediates=lambda module, method: (
      method == "__call__"
      and module.path == feature.path
      and type(module).__name__ == feature.kind
    ),
    mutable="intermediates",
  )
  found = state["intermediates"]
  for part in feature.path:
    found = found[part]
  (out,) = found["__call__"]
  return out[0] if isinstance(out, tuple) else out


def _find(saved: SavedModel) -> dict[str, Feature]:
  """Returns all features by name."""
  aux, modules = {}, {}

  def apply(variables: Mapping[str, Any], clip: jax.Array) -> None:
    aux.update(_returned(*_apply(saved, variables, clip)))

  clips = jax.ShapeDtypeStruct((_BATCH, *clip_shape(saved)), jnp.uint8)
  for call in called_once(trace_calls(apply, saved.variables, clips)):
    name, shape = "/".join(call.path), call.shape
    of_clips = shape is not None and shape[:1] == (_BATCH,)
    # The prompt reads texts, which are placeholders here.
    if of_clips and call.path and call.path[0] != "prompt":
      modules[name] = Feature(name, shape[1:], call.path, call.kind)
  pooled = aux["features"].shape[1:]
  found = {POOLED: Feature(POOLED, pooled, key="features")}
  if TOKENS in aux:
    found[TOKENS] = Feature(TOKENS, aux[TOKENS].shape[1:], key=TOKENS)
  elif not isinstance(saved.network, SlowFast):
    found[TOKENS] = _last_maps(modules.values())._replace(name=TOKENS)
  if not stand_in_texts(saved.network, 1):
    for name in filter(is_logits, aux):
      found[name] = Feature(name, aux[name].shape[1:], key=name)
  return found | modules


def _last_maps(features: Iterable[Feature]) -> Feature:
  """Returns the last maps (T, H, W, C) of the network's own modules."""
  *_, last = (
    feature
    for feature in features
    if len(feature.path) == 1 and len(feature.shape) == _AXES_OF_MAPS
  )
  return last
