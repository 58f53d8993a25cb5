"""Allowed overrides of a `model.json`, by the network's class."""

import ast
import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from temporal_jax.config_strings import read_sequence, split_call
from temporal_jax.models.catalog.registry import MODELS
from temporal_jax.models.operators import OPERATORS
from temporal_jax.saved_networks.arguments import DTYPE, check_arguments
from temporal_jax.untrusted import fields

# The longest published clips have 96 frames, the largest frames 448 pixels.
MAX_FRAMES = 1024
MAX_SIDE = 4096
# Blocks are traced one by one, some milliseconds each; ViT-22B has 48.
_BLOCKS = (0, 256)
# Lowest and largest value by argument. Whatever these allow, the variables must
# fit the network, and they are never larger than their files make likely.
_RANGES: Mapping[str, tuple[float, float]] = {
  "depth": _BLOCKS,
  "text_depth": _BLOCKS,
  "integration_depth": _BLOCKS,
  "prompt_depth": _BLOCKS,
  "stage_sizes": _BLOCKS,
  "grid": (1, 256),  # 4096 pixels in patches of 16.
  "patch_size": (1, 256),
  "num_heads": (1, 1024),
  "text_heads": (1, 1024),
  "vocabulary": (1, 1_000_000),  # CLIP's has 49,408 tokens.
  "context": (1, 4096),
  "width": (1, 2**16),
  "text_width": (1, 2**16),
  "stem_width": (1, 2**16),
  "widths": (1, 2**16),
  "mlp_ratio": (0.01, 64.0),  # Published ones are from 2 to 4.9.
  "strides": (1, 64),
  "time_strides": (1, 64),
  "taps": (1, 64),
  "first_taps": (1, 64),
  "stem_taps": (1, 64),
  "lateral_taps": (1, 64),
  "tubelet": (1, MAX_FRAMES),
  "alpha": (1, MAX_FRAMES),
  "beta": (1, MAX_FRAMES),
}
_OTHERS = (0, 2**16)
_LONGEST_OPERATOR = 500
# Taps, windows and kernels of operators are small; their widths are not.
_LARGEST = 64
_WIDEST = 4096
_WIDTHS = {"features", "head_width", "hidden", "segment"}


def _operator(where: str, value: Any) -> None:
  """Allows "default", and names of operators with numbers that are not huge."""
  fields.text(_LONGEST_OPERATOR)(where, value)
  try:
    calls = [split_call(node, where) for node in read_sequence(value, where)]
  except ValueError:
    calls = [None]
  for call in calls:
    fields.one_of({*OPERATORS, "default"})(where, call.name if call else value)
    for name, node in [*call.named.items(), *(("", one) for one in call.positional)]:
      _check_numbers(where, value, name, node)


def _check_numbers(where: str, text: str, name: str, node: ast.expr) -> None:
  """Refuses numbers of an argument that only cost memory or time.

  Args:
    where: The file, for messages.
    text: The whole operator.
    name: The argument, "" for one without a name.
    node: Its value. Texts in it are looked at too, as they hold layers.
  """
  wide = {id(node)} if name in _WIDTHS else set()
  for part in ast.walk(node):
    if isinstance(part, ast.keyword) and part.arg in _WIDTHS:
      wide.add(id(part.value))
    if isinstance(part, ast.Constant):
      limit = _WIDEST if id(part) in wide else _LARGEST
      numbers = [part.value] if isinstance(part.value, int | float) else []
      if isinstance(part.value, str):
        numbers = [float(digits) for digits in re.findall(r"\d+", part.value)]
      if not all(abs(number) <= limit for number in numbers):
        fields.refuse(where, text, f"numbers of {limit} at most")


# `create_model` takes these itself.
_COMMON: Mapping[str, fields.Check] = {
  "num_frames": fields.null_or(fields.whole(1, MAX_FRAMES)),
  "image_size": fields.null_or(fields.whole(1, MAX_SIDE)),
  "temporal": fields.null_or(_operator),
  "dtype": DTYPE,
}
_NOT_SETTABLE = {"name", "parent", "num_classes", *_COMMON}


def check_overrides(where: str, model: str, overrides: Any) -> None:
  """Checks the arguments of a network before it is built.

  Args:
    where: The file, for messages.
    model: A name of the catalog.
    overrides: Arguments of `create_model` by name, as JSON holds them.

  Raises:
    ValueError: If one is unknown, near names are suggested, or not allowed.
  """
  known = {**_COMMON, **_own(model)}
  if not isinstance(overrides, dict):
    fields.refuse(f"{where}: overrides", overrides, "a JSON object")
  unknown = fields.check_members(where, overrides, known, (), prefix="overrides.")
  if unknown:
    words = fields.unknown_members(f"{where}: overrides", unknown, list(known))
    raise ValueError(f"{words} {model} has {sorted(known)}.")


def count_blocks(model: str, overrides: Mapping[str, Any]) -> int:
  """Returns the blocks that a network has at least; each has variables."""
  arguments = {**MODELS[model].kwargs, **overrides}
  defaults = {
    field.name: field.default for field in dataclasses.fields(MODELS[model].module)
  }
  depth = arguments.get("depth", defaults.get("depth", 0))
  stages = arguments.get("stage_sizes", defaults.get("stage_sizes", ()))
  return depth + sum(stages) if isinstance(stages, Sequence) else depth


def _own(model: str) -> dict[str, fields.Check]:
  """Returns the checks of the arguments of a model's class."""
  return check_arguments(
    MODELS[model].module, ranges=_RANGES, others=_OTHERS, without=_NOT_SETTABLE
  )
