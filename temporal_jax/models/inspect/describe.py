"""Describes a network: figures, temporal slots, and tree of modules."""

import collections
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax

from temporal_jax.display import tables
from temporal_jax.models import operators
from temporal_jax.models.catalog import registry
from temporal_jax.models.catalog.entry import Accuracy
from temporal_jax.models.inspect import count
from temporal_jax.models.inspect.trace import ModuleCall, trace_calls
from temporal_jax.models.network import Network

_HEAD = ("published", "top-1 %", "frames", "clips x crops", "from", "where")
_TEXTS = 400  # Compared with a clip, where the network has no classes.
_MOST_NAMES = 4  # More blocks are not listed one by one.


def describe(
  name: str,
  *,
  num_classes: int | Mapping[str, int] | None = 400,
  levels: int = 1,
  num_frames: int | None = None,
  image_size: int | None = None,
  temporal: str | operators.Operator | None = "default",
  clip_shape: tuple[int, int, int] | None = None,
  **overrides: Any,
) -> Iterator[str]:
  """Yields the description of a network, line by line.

  Nothing is computed: shapes come from `jax.eval_shape`.

  Args:
    name: Name in the catalog.
    num_classes: Outputs of the classifier, L, or other values of the class.
    levels: Levels of modules within modules that are shown, at least 1.
    num_frames: Frames of a clip, by default the entry's.
    image_size: Side of a frame, in pixels, likewise.
    temporal: Layers in the temporal slots, see `create_model`.
    clip_shape: (T, H, W) of the clip that is looked at, where neither of the
      two is given; by default the entry's.
    **overrides: Replace arguments of the model's class.

  Raises:
    TypeError: See `create_model`.
    ValueError: If `levels` is below 1, or see `create_model`.
  """
  if levels < 1:
    raise ValueError(f"levels must be at least 1, got {levels}.")
  entry = registry.find_model(name)
  model = registry.create_model(
    name,
    num_classes=num_classes,
    num_frames=num_frames,
    image_size=image_size,
    temporal=temporal,
    **overrides,
  )
  frames, height, width = clip_shape or entry.clip_shape
  shape = (num_frames or frames, image_size or height, image_size or width)
  inputs = count.abstract_inputs(model, shape, num_classes or _TEXTS)
  variables = jax.eval_shape(model.init, jax.random.key(0), inputs[0])
  calls = trace_calls(model.apply, variables, *inputs)
  products = count.multiply_adds(model.apply, variables, *inputs)
  yield f"{name}: {type(model).__name__}"
  yield f"source: {entry.source}"
  yield (
    f"{count.parameters(variables) / 1e6:.3f} M parameters, "
    f"{products / 1e9:.3f} GFLOPs (multiply-adds) for a clip of "
    f"{' x '.join(map(str, shape))} x 3"
  )
  if entry.weights:
    yield f"weights: {entry.weights}"
  if entry.accuracies and temporal == "default" and not overrides:
    yield ""
    figures = map(_cells, entry.accuracies)
    yield from tables.render(tables.columns(figures, head=_HEAD, right=(1, 2)))
  yield ""
  yield "temporal slots"
  yield from tables.render(tables.columns(_slots(model, calls)))
  yield ""
  head = ("module", "kind", "output", "parameters")
  tree = _tree(calls, variables["params"], levels)
  yield from tables.render(tables.columns(tree, head=head, right=(3,)))


def _cells(figure: Accuracy) -> tuple[str, ...]:
  """Returns the cells of a published figure."""
  frames = "" if figure.frames is None else str(figure.frames)
  views = "" if figure.clips is None else f"{figure.clips} x {figure.crops}"
  top1 = f"{figure.top1:.1f}"
  return figure.data, top1, frames, views, figure.start, figure.where


def _slots(model: Network, calls: Sequence[ModuleCall]) -> list[tuple]:
  """Returns name, modules and blocks of each slot, a row for each filling."""
  blocks = [call for call in calls if call.temporal is not None]
  outer = {call.path for call in blocks}
  blocks = [
    call
    for call in blocks
    if not any(call.path[:end] in outer for end in range(1, len(call.path)))
  ]
  rows = []
  for slot in model.SLOTS:
    held: dict[tuple[str, ...], list[str]] = {}
    for block in blocks:
      factory = getattr(block.temporal, slot)
      if factory is not None:
        names = held.setdefault(_factory_lines(factory), [])
        names.append("/".join(block.path))
    for (modules, *arguments), names in (held or {("-",): []}).items():
      places = _places(names, len(blocks)) if names else ""
      rows.append((slot, modules, places))
      rows += [("", f"  {argument}", "") for argument in arguments]
      slot = ""  # Further rows are the same slot's.
  return rows


def _places(names: Sequence[str], total: int) -> str:
  if len(names) == total:
    return f"all {total} blocks"
  if len(names) <= _MOST_NAMES:
    return ", ".join(names)
  return f"{len(names)} of {total} blocks, {names[0]} to {names[-1]}"


def _factory_lines(factory: Callable) -> tuple[str, ...]:
  """Returns the class that a factory makes, and its arguments, a line each.

  Arguments that are the class's defaults are left out.
  """
  name, arguments = _factory_parts(factory)
  return (name, *(f"{key}={value}" for key, value in arguments.items()))


def _factory_parts(factory: Callable) -> tuple[str, dict[str, str]]:
  """Returns the class that a factory makes, and its arguments in words."""
  keywords: dict[str, Any] = {}
  while isinstance(factory, functools.partial):
    if factory.args:  # A chain.
      return " + ".join(map(_value, factory.args[0])), {}
    keywords = {**factory.keywords, **keywords}
    factory = factory.func
  fields = dataclasses.fields(factory) if dataclasses.is_dataclass(factory) else ()
  defaults = {field.name: field.default for field in fields}
  # A function that makes initialisers is named by its maker.
  name = getattr(factory, "__qualname__", repr(factory)).split(".<locals>")[0]
  return name, {
    key: _value(value)
    for key, value in keywords.items()
    if key not in defaults or value != defaults[key]
  }


def _value(value: Any) -> str:
  """Returns an argument as an operator's text has it."""
  if not callable(value):
    return repr(value)
  name, arguments = _factory_parts(value)
  inside = ", ".join(f"{key}={text}" for key, text in arguments.items())
  return f"{name}({inside})" if inside else name


def _tree(
  calls: Sequence[ModuleCall], params: Any, levels: int
) -> Iterator[tuple[str, ...]]:
  """Yields the cells of each module, a module before the modules inside it."""
  # A module may share its name with others that it calls.
  first: dict[tuple, ModuleCall] = {}
  for call in calls:
    first.setdefault(call.path, call)
  times = collections.Counter((call.path, call.kind) for call in calls)
  for path, call in first.items():
    if 0 < len(path) <= levels:
      number = times[path, call.kind]
      kind = call.kind + (f" x {number}" if number > 1 else "")
      shape = "" if call.shape is None else _shape(call.shape)
      size = count.parameters({"params": _below(params, path)})
      name = "  " * (len(path) - 1) + path[-1]
      yield name, kind, shape, f"{size:,}" if size else ""


def _below(params: Any, path: Sequence[str]) -> Any:
  """Returns the parameters of a module, {} if it has none."""
  for part in path:
    params = params.get(part, {})
  return params


def _shape(shape: Sequence[int]) -> str:
  return f"({', '.join(map(str, shape))})"
