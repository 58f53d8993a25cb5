"""Computes the maps of each kind, with a sentence about them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from temporal_jax.inference.runtime.clip_to_probabilities import (
  create_forward,
  prepare_variables,
)
from temporal_jax.inference.runtime.placeholder_text import stand_in_texts
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize import features as feature_maps, grad_cam
from temporal_jax.inference.visualize.class_label import (
  Target,
  find_target,
  named_targets,
)
from temporal_jax.inference.visualize.cues import create_cues
from temporal_jax.inference.visualize.layer_choice import choose_layer, map_shapes
from temporal_jax.inference.visualize.masks import (
  create_alignment,
  find_alignment,
)
from temporal_jax.inference.visualize.rollout import create_rollout
from temporal_jax.validation import check_choice

_OF_LARGEST = "part of the largest value in the clip"


class Explained(NamedTuple):
  """Maps of a clip, and their meaning.

  Attributes:
    maps: (T, h, w) float32 in [0, 1], by their titles.
    unit: Meaning of values from 0 to 1.
    points: (T, 2, 2) of `create_alignment`, or None.
  """

  maps: dict[str, np.ndarray]
  unit: str
  points: np.ndarray | None = None


def explain(
  saved: SavedModel,
  clip: np.ndarray,
  *,
  kind: str,
  layer: str | None = None,
  label: str | None = None,
) -> Explained:
  """Computes the maps of a clip.

  Args:
    saved: The network.
    clip: (T, H, W, 3) uint8.
    kind: One of `MAP_KINDS`.
    layer: Layer of "features", "gradcam" and "masks"; the last that fits by
      default.
    label: Name of the class, of "gradcam", see `named_targets`; the predicted
      one by default.

  Raises:
    ImportError: See `prepare_variables`.
    ValueError: If the network offers no such maps, has no such layer or class,
      or `kind` takes no layer or class.
  """
  check_choice("kind", kind, MAP_KINDS)
  check_options(kind, layer, label)
  variables = open_variables(saved, names=kind == "gradcam")
  options = {"layer": layer} if kind in _WITH_LAYER else {}
  if kind == "gradcam":
    options["label"] = label
  found = _EXPLAIN[kind](saved, variables, clip, **options)
  maps = {words: np.asarray(values) for words, values in found.maps.items()}
  return found._replace(maps=maps)


def check_options(kind: str, layer: str | None, label: str | None) -> None:
  """Raises ValueError if a kind takes no layer or no class and is given one."""
  if layer is not None and kind not in (*_WITH_LAYER, "calibration"):
    raise ValueError(f"{kind} takes no layer, got {layer!r}.")
  if label is not None and kind != "gradcam":
    raise ValueError(f"{kind} takes no label, got {label!r}; gradcam does.")


def open_variables(saved: SavedModel, *, names: bool = True) -> dict[str, Any]:
  """Returns variables for maps: batch norms not folded, class names encoded.

  Args:
    saved: The network.
    names: Whether the maps are for a class; other maps need no names, and get
      one text without meaning where there are none.

  Raises:
    ImportError: See `prepare_variables`.
    ValueError: See `prepare_variables`.
  """
  if not names and not saved.class_names:
    texts = stand_in_texts(saved.network, 1)
    return {**saved.variables, **({"inputs": texts} if texts else {})}
  return {**prepare_variables(saved), **saved.variables}


def _explain_grad_cam(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: np.ndarray,
  layer: str | None,
  label: str | None,
) -> Explained:
  targets = named_targets(saved)
  target = None if label is None else find_target(saved, label)
  # With several tasks, the first one's class.
  task = next(iter(targets.values())).task if target is None else target.task
  shapes = map_shapes(saved, variables, clip)
  layer = choose_layer(shapes, layer, saved.network.visual_layers().gradients)
  maps_of = grad_cam.create_grad_cam(saved, layer=layer, task=task)
  forward = create_forward(saved)

  @jax.jit  # Both together, as they begin with the same computation.
  def both(variables, clip):
    index = None if target is None else target.index
    return forward(variables, clip[None]), maps_of(variables, clip, index)

  scores, maps = both(variables, clip)
  scores = np.asarray((scores if task is None else scores[task])[0])
  if target is None:
    target = Target(task, int(scores.argmax()))
  name = next(name for name, other in targets.items() if other == target)
  title = f"Grad-CAM of {name} ({scores[target.index]:.0%}) at {layer}"
  return Explained({title: maps}, _OF_LARGEST)


def _explain_features(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: np.ndarray,
  layer: str | None,
) -> Explained:
  shapes = map_shapes(saved, variables, clip)
  layer = choose_layer(shapes, layer, saved.network.visual_layers().features)
  maps = jax.jit(feature_maps.create_features(saved, layer=layer))
  found = {f"mean |activation| of {layer}": maps(variables, clip)}
  return Explained(found, "between the smallest (0) and the largest (1)")


def _explain_masks(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: np.ndarray,
  layer: str | None,
) -> Explained:
  layer = find_alignment(saved, variables, clip, layer)
  alignment = jax.jit(create_alignment(saved, layer=layer))
  found = alignment(variables, clip)
  title = (
    f"masks of {layer}; their middles in the pair with the frame before (o) "
    "and after (x)"
  )
  points = np.asarray(found["points"])
  return Explained({title: found["masks"]}, "weight of the mask", points)


def _explain_cues(
  saved: SavedModel, variables: Mapping[str, Any], clip: np.ndarray
) -> Explained:
  maps = jax.jit(create_cues(saved))(variables, clip)
  found = {f"mean |cue| of {name}": values for name, values in maps.items()}
  return Explained(found, _OF_LARGEST)


def _explain_rollout(
  saved: SavedModel, variables: Mapping[str, Any], clip: np.ndarray
) -> Explained:
  maps = jax.jit(create_rollout(saved))(variables, clip)
  found = {"attention rollout: shares in the class tokens": maps}
  return Explained(found, _OF_LARGEST)


_EXPLAIN: Mapping[str, Callable[..., Explained]] = {
  "cues": _explain_cues,
  "features": _explain_features,
  "gradcam": _explain_grad_cam,
  "masks": _explain_masks,
  "rollout": _explain_rollout,
}
MAP_KINDS = tuple(_EXPLAIN)
_WITH_LAYER = ("features", "gradcam", "masks")
