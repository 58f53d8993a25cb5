"""The first state of a run: resumed, from other weights, or fresh."""

import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util
from jax.experimental import multihost_utils

from temporal_jax.training.checkpoint import Checkpoints
from temporal_jax.training.class_rows import ClassRows
from temporal_jax.training.load_variables import load_variables
from temporal_jax.training.low_rank import FACTORS
from temporal_jax.training.parameter_names import summarize_names
from temporal_jax.training.state import (
  TrainState,
  Tree,
  create_state,
  window_sums,
)

# Parameters that depend on the classes of clips, and factors of kernels, which
# no weights have.
_NEW = rf"params/(head|classifier|{FACTORS})/.*"


class Start(NamedTuple):
  """Start of a run: its state and its place in the data.

  Attributes:
    state: The state, laid out on the mesh.
    position: State of the data iterator; None starts with the first batch.
    origin: Source of the state in words, such as the folder of a checkpoint.
  """

  state: TrainState
  position: dict[str, Any] | None
  origin: str


class Fitting(NamedTuple):
  """Allowed differences between loaded weights and a run's network.

  Attributes:
    rows: For each leaf that has an entry per class, the classes of the weights
      for each class of the run; {} if all have the same classes in the same
      order.
    operator: Leaves of the temporal operators of both, if they have different
      ones, and positions of frames that only one has: the run's may be new, the
      weights' are left out.
    inflated: Kernels of one frame in the weights and of several frames in the
      run's network: the former become the middle tap of the latter.
    untrained: Leaves of the weights that were never trained.
    replaceable: Regex of the leaves that depend on the classes or the data, or
      are of adapters, which may be missing or have another shape, and then
      start anew.
  """

  rows: Mapping[str, ClassRows] = MappingProxyType({})
  operator: Collection[str] = ()
  inflated: Collection[str] = ()
  untrained: Collection[str] = ()
  replaceable: str = _NEW


def first_state(
  initialise: Callable[[jax.Array], Tree],
  optimizer: optax.GradientTransformation,
  shapes: TrainState,
  *,
  seed: int,
  init_from: str,
  fitting: Callable[[Tree], Fitting],
  checkpoints: Checkpoints,
) -> Start:
  """Decides where a run starts.

  1. A checkpoint of the run itself is resumed.
  2. Else the weights of `init_from` are taken, at step 0; only the head, the
     temporal operator and positions of frames may be missing or others, and
     then stay as initialised. Of a head of other classes, those with the same
     name are taken.
  3. Else all parameters are as initialised.

  Args:
    initialise: Random key -> fresh {"params", "batch_stats"}.
    optimizer: Gives the optimizer's first state.
    shapes: Shapes of every array of the state, with its sharding.
    seed: Seed of the initialisation.
    init_from: Workdir of another run, folder of `convert_weights`, or "".
    fitting: Called with the variables of `init_from` where it is used: returns
      how they may differ from this run's.
    checkpoints: Checkpoints of this run.

  Raises:
    FileNotFoundError: If `init_from` holds no checkpoint.
    ValueError: If its weights, or the run's own checkpoint, do not fit.
  """
  restored = checkpoints.restore(shapes)
  if restored is not None:
    path = checkpoints.path(int(restored.state.step))
    notes = "".join(f"; unreadable: {note}" for note in restored.unreadable)
    if not restored.checked:
      notes += "; it has no list of sha256: its files were not compared"
    return Start(restored.state, restored.position, f"resumed {path}{notes}")
  layout = jax.tree.map(lambda shape: shape.sharding, shapes)
  variables_layout = {
    "params": layout.params,
    "batch_stats": layout.batch_stats,
  }
  variables = jax.tree.map(
    _place,
    initialise(jax.random.key(seed)),
    variables_layout,
  )
  origin = "from scratch"
  if init_from:
    loaded = load_variables(init_from)
    allowed = fitting(loaded)
    grafted = graft(
      variables,
      loaded,
      replaceable=allowed.replaceable,
      rows=allowed.rows,
      operator=allowed.operator,
      inflated=allowed.inflated,
    )
    variables = jax.tree.map(_place, grafted.variables, variables_layout)
    origin = "; ".join((f"weights of {init_from}", *_about_leaves(allowed, grafted)))
  state = jax.jit(
    lambda variables: create_state(
      variables, optimizer, ema=bool(shapes.ema), sums=window_sums(shapes.window)
    ),
    out_shardings=layout,
  )(variables)
  return Start(state, None, origin)


def _place(array: jax.Array, sharding: jax.sharding.Sharding) -> jax.Array:
  """Lays out an array of which every process has the whole."""
  if array.sharding == sharding:
    return array
  values = np.asarray(array)
  return jax.make_array_from_callback(values.shape, sharding, values.__getitem__)


class Grafted(NamedTuple):
  """Variables with loaded weights in place.

  Attributes:
    variables: {"params", "batch_stats"}.
    kept: Leaves that stay as initialised.
    partly: Leaves of which some classes stay as initialised.
    left: Loaded leaves of an operator that the model does not have.
  """

  variables: Tree
  kept: tuple[str, ...]
  partly: tuple[str, ...]
  left: tuple[str, ...]


def graft(
  fresh: Tree,
  loaded: Tree,
  *,
  replaceable: str,
  rows: Mapping[str, ClassRows] = MappingProxyType({}),
  operator: Collection[str] = (),
  inflated: Collection[str] = (),
) -> Grafted:
  """Puts loaded weights in the place of fresh ones, all of them or none.

  Args:
    fresh: Variables of the model to train.
    loaded: Variables of the same model.
    replaceable: Regex of the leaves, e.g. "params/head/.*", that may be missing
      or have another shape, and then stay fresh; loaded ones that the model
      lacks are left out.
    rows: The leaf's name -> the classes of a loaded leaf for those of the
      model. Where one leaf of a task does not fit, all leaves of that task stay
      fresh, since kernel and bias belong together.
    operator: Leaves that may differ likewise, since the model has another
      temporal operator than the weights, or positions of frames.
    inflated: Leaves (K, ...) that are loaded as (...): these become their tap
      K // 2, and the others zero.

  Raises:
    ValueError: Listing `-` leaves that are not loaded, `+` loaded ones that the
      model lacks, `!` shapes that differ.
  """
  target = traverse_util.flatten_dict(fresh, sep="/")
  source = traverse_util.flatten_dict(loaded, sep="/")
  problems = [
    f"+ {name}"
    for name in sorted(source.keys() - target.keys())
    if not re.fullmatch(replaceable, name) and name not in operator
  ]
  misfits = {
    of.task for name, of in rows.items() if not _fits(name, of, target, source)
  }
  kept, merged = [], {}
  for name in sorted(target):
    of = rows.get(name)
    same = name in source and target[name].shape == source[name].shape
    if of is not None and of.task not in misfits and max(of.match.rows) >= 0:
      merged[name] = _take_rows(target[name], source[name], of)
      continue
    if of is None and same:
      merged[name] = source[name]
      continue
    if name in inflated:
      merged[name] = _inflate(target[name], source[name])
      continue
    merged[name] = target[name]
    if same or re.fullmatch(replaceable, name) or name in operator:
      kept.append(name)
    elif name not in source:
      problems.append(f"- {name}")
    else:
      problems.append(
        f"! {name}: model {target[name].shape}, loaded {source[name].shape}"
      )
  if problems:
    raise ValueError("init_from does not fit the model:\n" + "\n".join(problems))
  variables = traverse_util.unflatten_dict(merged, sep="/")
  if not jax.tree.leaves(fresh["batch_stats"]):
    variables["batch_stats"] = {}
  partly = sorted(
    name for name, of in rows.items() if name not in kept and min(of.match.rows) < 0
  )
  left = sorted(set(operator) & source.keys() - target.keys())
  return Grafted(variables, tuple(kept), tuple(partly), tuple(left))


def _fits(
  name: str,
  of: ClassRows,
  target: Mapping[str, jax.Array],
  source: Mapping[str, jax.Array],
) -> bool:
  """Whether a loaded leaf differs from the model's in its classes only."""
  if name not in source:
    return False
  wanted = list(target[name].shape)
  wanted[of.axis] = of.match.num_loaded
  return source[name].shape == tuple(wanted)


def _take_rows(fresh: jax.Array, loaded: jax.Array, of: ClassRows) -> jax.Array:
  """Returns a leaf with the classes that are loaded in their places."""
  if isinstance(fresh, jax.Array) and not fresh.is_fully_addressable:
    fresh = multihost_utils.process_allgather(fresh, tiled=True)
  values, rows = np.array(fresh), np.array(of.match.rows)
  by_class = np.moveaxis(values, of.axis, 0)  # Shares the memory of `values`.
  known = rows >= 0
  by_class[known] = np.moveaxis(np.asarray(loaded), of.axis, 0)[rows[known]]
  return jnp.asarray(values)


def _inflate(fresh: jax.Array, loaded: jax.Array) -> jax.Array:
  """Returns a kernel (K, ...) whose middle tap is the loaded one (...)."""
  values = np.zeros(fresh.shape, fresh.dtype)
  values[len(values) // 2] = loaded
  return jnp.asarray(values)


def _about_leaves(allowed: Fitting, grafted: Grafted) -> list[str]:
  """Returns sentences on the new leaves, and on those left out."""
  new = [*grafted.kept, *(f"{name} in part" for name in grafted.partly)]
  words = [f"new: {summarize_names(new) or 'nothing'}"]
  if untrained := set(allowed.untrained) - {*grafted.kept, *grafted.left}:
    words = [f"new: {summarize_names(new)}"] if new else []
    words.append(f"never trained before: {summarize_names(untrained)}")
  if allowed.inflated:
    middle = summarize_names(allowed.inflated)
    words.append(f"the middle of several taps: {middle}")
  if grafted.left:
    words.append(
      "left out with the weights' operator: " + summarize_names(grafted.left)
    )
  return [*words, *_about_heads(allowed.rows, grafted)]


def _about_heads(rows: Mapping[str, ClassRows], grafted: Grafted) -> list[str]:
  """Returns a sentence on the head of each task."""
  words = {}
  for name, of in rows.items():
    head = f"head of {of.task}" if of.task else "head"
    taken = name not in grafted.kept or max(of.match.rows) < 0
    words[of.task] = f"{head}: " + (
      of.match.words if taken else "starts anew, as the weights have none of its shape"
    )
  return sorted(filter(None, words.values()))
