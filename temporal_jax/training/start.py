"""Where a run starts: resumed, from other weights, or from scratch."""

import re
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax
from flax import traverse_util

from temporal_jax.training.checkpoint import Checkpoints
from temporal_jax.training.loading import load_variables
from temporal_jax.training.state import (
  TrainState,
  Tree,
  create_state,
  init_variables,
)

# What depends on the classes, and may be new where weights are taken over.
_CLASSIFIER = r"params/(head|classifier)/.*"


class Start(NamedTuple):
  """Where a run starts.

  Attributes:
    state: The state, laid out on the mesh.
    position: The place in the data; None at its begin.
    origin: In words, where the state comes from.
  """

  state: TrainState
  position: dict[str, Any] | None
  origin: str


def first_state(
  model: nn.Module,
  optimizer: optax.GradientTransformation,
  shapes: TrainState,
  *,
  clip_shape: tuple[int, ...],
  seed: int,
  init_from: str,
  checkpoints: Checkpoints,
) -> Start:
  """Decides where a run starts.

  1. A checkpoint of the run itself is resumed.
  2. Else the weights of `init_from` are taken, at step 0; only the head may be
     missing or another one, and then stays as initialised.
  3. Else all parameters are as initialised.

  Args:
    model: The network.
    optimizer: Gives the optimizer's first state.
    shapes: Of every array of the state, with its sharding.
    clip_shape: (B, T, H, W, 3) of a clip.
    seed: Of the initialisation.
    init_from: Workdir of another run, what `convert_weights` wrote, or "".
    checkpoints: Those of this run.

  Raises:
    FileNotFoundError: If `init_from` holds no checkpoint.
    ValueError: If its weights, or the run's own checkpoint, do not fit.
  """
  restored = checkpoints.restore(shapes)
  if restored is not None:
    path = checkpoints.path(int(restored.state.step))
    notes = "".join(f"; unreadable: {note}" for note in restored.unreadable)
    return Start(restored.state, restored.position, f"resumed {path}{notes}")
  layout = jax.tree.map(lambda shape: shape.sharding, shapes)
  variables_layout = {
    "params": layout.params,
    "batch_stats": layout.batch_stats,
  }
  variables = jax.jit(
    lambda key: init_variables(model, clip_shape, key),
    out_shardings=variables_layout,
  )(jax.random.key(seed))
  origin = "from scratch"
  if init_from:
    loaded = load_variables(init_from)
    variables, fresh = graft(variables, loaded, replaceable=_CLASSIFIER)
    variables = jax.tree.map(_place, variables, variables_layout)
    origin = f"weights of {init_from}; new: {', '.join(fresh) or 'nothing'}"
  state = jax.jit(
    lambda variables: create_state(variables, optimizer, ema=bool(shapes.ema)),
    out_shardings=layout,
  )(variables)
  return Start(state, None, origin)


def _place(array: jax.Array, sharding: jax.sharding.Sharding) -> jax.Array:
  """Lays out an array of which every process has the whole."""
  if array.sharding == sharding:
    return array
  values = np.asarray(array)
  return jax.make_array_from_callback(
    values.shape, sharding, values.__getitem__
  )


class Grafted(NamedTuple):
  """Variables with loaded weights in place.

  Attributes:
    variables: {"params", "batch_stats"}.
    kept: Leaves that stay as initialised.
  """

  variables: Tree
  kept: tuple[str, ...]


def graft(fresh: Tree, loaded: Tree, *, replaceable: str) -> Grafted:
  """Puts loaded weights in the place of fresh ones, all of them or none.

  Args:
    fresh: Variables of the model to train.
    loaded: Variables of the same model.
    replaceable: Regex of the leaves, e.g. "params/head/.*", that may be missing
      or have another shape, and then stay fresh; loaded ones that the model
      lacks are left out.

  Raises:
    ValueError: Listing `-` leaves that are not loaded, `+` loaded ones that the
      model lacks, `!` shapes that differ.
  """
  target = traverse_util.flatten_dict(fresh, sep="/")
  source = traverse_util.flatten_dict(loaded, sep="/")
  problems = [
    f"+ {name}"
    for name in sorted(source.keys() - target.keys())
    if not re.fullmatch(replaceable, name)
  ]
  kept = []
  for name in sorted(target):
    if name in source and target[name].shape == source[name].shape:
      continue
    if re.fullmatch(replaceable, name):
      kept.append(name)
    elif name not in source:
      problems.append(f"- {name}")
    else:
      problems.append(
        f"! {name}: model {target[name].shape}, loaded {source[name].shape}"
      )
  if problems:
    raise ValueError(
      "init_from does not fit the model:\n" + "\n".join(problems)
    )
  merged = {
    name: target[name] if name in kept else source[name] for name in target
  }
  variables = traverse_util.unflatten_dict(merged, sep="/")
  if not jax.tree.leaves(fresh["batch_stats"]):
    variables["batch_stats"] = {}
  return Grafted(variables, tuple(kept))
