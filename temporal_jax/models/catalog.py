"""The one table from a model's name to how it is built."""

import dataclasses
import difflib
import fnmatch
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import flax.linen as nn

from temporal_jax.models import convolutional, operators
from temporal_jax.models.resnet import ResNet
from temporal_jax.models.temporal import Temporal

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ModelSpec(NamedTuple):
  """A named model: its class, its arguments, its clip and its source.

  Attributes:
    module: Class of the network.
    kwargs: Arguments of the class.
    temporal: Name of the operator in its temporal slots.
    clip_shape: (T, H, W) it was published with: frames, pixels, pixels.
    mean: Pixel mean for each of R, G, B, of values in [0, 1].
    std: Pixel standard deviation, likewise.
    source: Paper, then repository.
  """

  module: type[nn.Module]
  kwargs: Mapping[str, Any]
  temporal: str
  clip_shape: tuple[int, int, int]
  mean: tuple[float, float, float]
  std: tuple[float, float, float]
  source: str


def _resnet(block: str, stage_sizes: tuple[int, ...], temporal: str, source):
  return ModelSpec(
    ResNet,
    MappingProxyType({"block": block, "stage_sizes": stage_sizes}),
    temporal=temporal,
    clip_shape=(8, 224, 224),
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source=source,
  )


_RESNETS = {
  18: ("basic", (2, 2, 2, 2)),
  34: ("basic", (3, 4, 6, 3)),
  50: ("bottleneck", (3, 4, 6, 3)),
  101: ("bottleneck", (3, 4, 23, 3)),
  152: ("bottleneck", (3, 8, 36, 3)),
}
_TSN = "arXiv:1608.00859 on arXiv:1512.03385; pytorch/vision"
_TSM = "arXiv:1811.08383; mit-han-lab/temporal-shift-module"
_ATM = "arXiv:2307.08908, table A.1; of whwu95/ATM only the module is released"
_TAM = "arXiv:1912.00869, table 5; IBM/bLVNet-TAM"

MODELS: Mapping[str, ModelSpec] = MappingProxyType(
  {
    **{f"resnet{n}": _resnet(*r, "none", _TSN) for n, r in _RESNETS.items()},
    **{
      f"tsn_resnet{n}": _resnet(*r, "none", _TSN) for n, r in _RESNETS.items()
    },
    "tsm_resnet50": _resnet(*_RESNETS[50], "shift", _TSM),
    "aggregation_resnet50": _resnet(*_RESNETS[50], "aggregation", _TAM),
    **{
      f"atm_resnet{n}": _resnet(*r, "arithmetic_resnet", _ATM)
      for n, r in _RESNETS.items()
    },
    **{name: ModelSpec(*row) for name, row in convolutional.ROWS.items()},
  }
)


def find_model(name: str) -> ModelSpec:
  """Returns the catalog row of `name`.

  Raises:
    ValueError: If there is none; near names are suggested.
  """
  if name not in MODELS:
    close = difflib.get_close_matches(name, MODELS, n=3) or sorted(MODELS)
    raise ValueError(f"unknown model {name!r}; did you mean one of {close}?")
  return MODELS[name]


def create_model(
  name: str,
  *,
  num_classes: int,
  temporal: str | Temporal | None = "default",
  **overrides: Any,
) -> nn.Module:
  """Builds a model by name.

  Args:
    name: A key of `MODELS`; `list_models` shows them.
    num_classes: Outputs of the classifier, L.
    temporal: What fills the temporal slots: a name of `operators.OPERATORS`, a
      `Temporal`, None for nothing, or "default" for the row's own.
    **overrides: Replace arguments of the model's class.

  Raises:
    ValueError: If the model or the operator is unknown, or the backbone lacks a
      slot that the operator fills.
    TypeError: If an override is not an argument of the model's class.
  """
  spec = find_model(name)
  slots = operators.resolve(
    spec.temporal if temporal == "default" else temporal
  )
  _check_overrides(spec.module, overrides)
  kwargs = {**spec.kwargs, **overrides}
  return spec.module(num_classes=num_classes, temporal=slots, **kwargs)


def _check_overrides(module: type[nn.Module], overrides: Iterable[str]) -> None:
  """Raises TypeError if an override is not an argument of the module."""
  own = {"name", "parent", "num_classes", "temporal"}
  known = {field.name for field in dataclasses.fields(module)} - own
  for name in overrides:
    if name not in known:
      close = difflib.get_close_matches(name, known, n=1)
      hint = f" (did you mean {close[0]!r}?)" if close else ""
      raise TypeError(
        f"{module.__name__} has no argument {name!r}{hint}; it has "
        f"{sorted(known)}."
      )


def list_models(pattern: str = "*") -> list[str]:
  """Returns the sorted names that match a shell pattern, e.g. "*resnet*"."""
  return fnmatch.filter(sorted(MODELS), pattern)
