"""Lists layers of a network that hold maps, and finds one by name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax

from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.record_modules import (
  Call,
  Recording,
  main_output,
  record,
)
from temporal_jax.layers.flat_dense import FlatDense
from temporal_jax.lookup import unknown_name

Grid = tuple[int, int]


def patch_grid(saved: SavedModel, clip: jax.Array) -> Grid | None:
  """Returns rows and columns of a transformer's patches, else None."""
  patch = getattr(saved.network, "patch_size", None)
  if patch is None:
    return None
  return clip.shape[1] // patch, clip.shape[2] // patch


def map_outputs(
  saved: SavedModel, recording: Recording, clip: jax.Array
) -> dict[str, jax.Array]:
  """Returns the outputs that are maps, (1, T', h, w, C) or tokens of patches.

  T' is T, or T over a stride. What is computed more than once under one name is
  left out, and so are the heads of attention.

  Args:
    saved: The network.
    recording: Recording of `clip`.
    clip: (T, H, W, 3).

  Returns:
    Outputs by the names of their modules, in the order of computation.
  """
  grid = patch_grid(saved, clip)
  # A class token precedes the patches, a message or registers may follow them.
  others = 2 + getattr(saved.network, "num_registers", 0)
  found = {}
  for name, calls in recording.calls.items():
    maps = [call for call in calls if _is_map(call, len(clip), grid, others)]
    if len(maps) == 1:
      found[name] = main_output(maps[0])
  return found


def map_shapes(
  saved: SavedModel, variables: Mapping[str, Any], clip: jax.Array
) -> dict[str, jax.ShapeDtypeStruct]:
  """Returns the shapes of `map_outputs`; nothing is computed."""
  names: list[str] = []  # A dict of shapes comes back in the order of its keys.

  def outputs(variables, clip):
    found = map_outputs(saved, record(saved, variables, clip), clip)
    names.extend(found)
    return found

  shapes = jax.eval_shape(outputs, variables, clip)
  return {name: shapes[name] for name in names}


def as_maps(output: jax.Array, grid: Grid | None) -> jax.Array:
  """Returns an output of `map_outputs` as (T', h, w, C).

  Of tokens only the patches remain, without the class token before them and the
  tokens after them.
  """
  if output.ndim == 5:
    return output[0]
  count = grid[0] * grid[1]
  first = min(output.shape[2] - count, 1)
  patches = output[0, :, first : first + count]
  return patches.reshape(len(patches), *grid, -1)


def choose_layer(
  names: Iterable[str], wanted: str | None, patterns: Sequence[str]
) -> str:
  """Returns the layer that is wanted, or else a fitting one.

  Args:
    names: Names of the layers there are, in the order of computation.
    wanted: One of them, or None for the last that fits the first of `patterns`
      that any fits.
    patterns: Regular expressions of whole names.

  Raises:
    ValueError: If there is no such layer; it lists names that are near.
  """
  names = list(names)
  if wanted in names:
    return wanted
  if wanted is not None:
    raise ValueError(unknown_name(wanted, names, "layer to draw"))
  for pattern in patterns:
    fitting = [name for name in names if re.fullmatch(pattern, name)]
    if fitting:
      return fitting[-1]
  raise ValueError(f"no layer fits {list(patterns)}; there are {names}.")


def _is_map(call: Call, num_frames: int, grid: Grid | None, others: int) -> bool:
  """Whether a call hands on maps of the frames.

  Args:
    call: The call.
    num_frames: Frames of the clip.
    grid: Rows and columns of patches.
    others: Most tokens of a frame that are no patches.
  """
  shape = getattr(main_output(call), "shape", ())
  if isinstance(call.module, FlatDense) or len(shape) not in (4, 5):
    return False
  # As many as a stride leaves: pairs of neighbours, one fewer, are no frames.
  stride = -(-num_frames // shape[1])
  if shape[1] != -(-num_frames // stride):
    return False
  if len(shape) == 5:
    return True
  return grid is not None and 0 <= shape[2] - grid[0] * grid[1] <= others
