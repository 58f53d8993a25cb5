"""The catalog: name -> entry, and networks built by name."""

import dataclasses
import fnmatch
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import flax.linen as nn

from temporal_jax import field_types
from temporal_jax.lookup import lookup, unknown_name
from temporal_jax.models import operators
from temporal_jax.models.catalog import (
  convolutional,
  foundation_towers,
  image_towers,
  resnets,
  space_time,
  video_resnets,
  video_text,
  video_transformers,
)
from temporal_jax.models.catalog.entry import Entry
from temporal_jax.models.network import Network, check_size

MODELS: Mapping[str, Entry] = MappingProxyType(
  {
    **convolutional.ENTRIES,
    **image_towers.ENTRIES,
    **foundation_towers.ENTRIES,
    **resnets.ENTRIES,
    **space_time.ENTRIES,
    **video_resnets.ENTRIES,
    **video_text.ENTRIES,
    **video_transformers.ENTRIES,
  }
)
# Types of values that fit an annotation or do not; others are not compared.
_PLAIN = (bool, int, float, str, tuple, list, dict, type(None))


def find_model(name: str) -> Entry:
  """Returns the catalog entry of `name`.

  Raises:
    ValueError: If there is none; near names are suggested.
  """
  return lookup(MODELS, name, "model", listed_by="`temporal-jax models`")


def create_model(
  name: str,
  *,
  num_classes: int | Mapping[str, int] | None,
  num_frames: int | None = None,
  image_size: int | None = None,
  temporal: str | operators.Operator | None = "default",
  **overrides: Any,
) -> Network:
  """Builds a model by name.

  Args:
    name: A key of `MODELS`; `list_models` shows them.
    num_classes: Outputs of the classifier, L, or other values of the class,
      e.g. {"verb": 97, "noun": 300}.
    num_frames: Frames of the clips it is for, by default the entry's. Its
      learned positions are made for them; it takes clips of other lengths by
      interpolating those, where nothing else forbids it.
    image_size: Side of their frames, in pixels, likewise.
    temporal: Layers in the temporal slots: a name of `operators.OPERATORS`, a
      `Temporal`, a function from the network to one, None for nothing, or
      "default" for the entry's own.
    **overrides: Replace arguments of the model's class.

  Raises:
    ValueError: If the model or the operator is unknown, a number of classes is
      below 1, the backbone lacks a slot that the operator fills, it cannot take
      such clips, or an override sets an argument that is computed from them.
    TypeError: If an override is not an argument of the model's class, or of
      another type.
  """
  counts = num_classes if isinstance(num_classes, Mapping) else {"": num_classes}
  for task, count in counts.items():
    check_size(f"num_classes {task}".rstrip(), count)
  entry = find_model(name)
  _check_overrides(entry.module, overrides)
  kwargs = {**entry.kwargs, **overrides}
  model = entry.module(num_classes=num_classes, **kwargs)
  operator = entry.temporal if temporal == "default" else temporal
  model = model.clone(temporal=operators.resolve(operator, model))
  return _for_sizes(model, overrides, num_frames=num_frames, image_size=image_size)


def _for_sizes(
  model: Network, overrides: Collection[str], **sizes: int | None
) -> Network:
  """Returns the model for clips of these sizes; None leaves it as it is.

  Raises:
    ValueError: If it cannot take them, or an override contradicts them.
  """
  for name, size in sizes.items():
    check_size(name, size)
  fitted = model.arguments_for(**sizes)
  for name in overrides:
    if name in fitted:
      given = [size for size in sizes if sizes[size] is not None]
      raise ValueError(
        f"{name} is computed from {' and '.join(given)}: pass only one of them."
      )
  return model.clone(**fitted) if fitted else model


def _check_overrides(module: type[nn.Module], overrides: Mapping[str, Any]) -> None:
  """Checks the names and the types of overrides.

  Raises:
    TypeError: If an override is not an argument of the module, or of another
      type.
  """
  own = {"name", "parent", "num_classes", "num_frames", "temporal"}
  fields = {field.name: field.type for field in dataclasses.fields(module)}
  known = fields.keys() - own
  for name, value in overrides.items():
    if name not in known:
      raise TypeError(unknown_name(name, sorted(known), "argument", of=module.__name__))
    allowed = field_types.words(fields[name])
    if allowed and type(value) in _PLAIN and not field_types.fits(value, fields[name]):
      raise TypeError(f"{name} of {module.__name__} must be {allowed}, got {value!r}.")


def list_models(pattern: str = "*") -> list[str]:
  """Returns the sorted names that match a shell pattern, e.g. "*resnet*"."""
  return fnmatch.filter(sorted(MODELS), pattern)
