"""Where a run starts: resumed, from other weights, or from scratch."""

import re
from typing import NamedTuple

import flax.linen as nn
import grain
import jax
import optax
from flax import traverse_util

from temporal_jax.training import sharding
from temporal_jax.training.checkpoint import Checkpoints, load_variables
from temporal_jax.training.state import (
  TrainState,
  Tree,
  create_state,
  init_variables,
)

_CLASSIFIER = r"params/(head|classifier)/.*"


def first_state(
  model: nn.Module,
  optimizer: optax.GradientTransformation,
  mesh: jax.sharding.Mesh,
  *,
  num_frames: int,
  image_size: int,
  seed: int,
  ema: bool,
  init_from: str,
  checkpoints: Checkpoints,
  batches: grain.DatasetIterator,
) -> tuple[TrainState, str]:
  """Decides where a run starts.

  1. A checkpoint of the run itself is resumed, `batches` with it.
  2. Else the weights of `init_from` are taken, at step 0; only the head may be
     missing or have another size, and then stays as initialised.
  3. Else all parameters are as initialised.

  Args:
    model: The network.
    optimizer: Gives the optimizer's first state.
    mesh: Every device of it holds the whole state.
    num_frames: Frames in a clip.
    image_size: Side of a frame, in pixels.
    seed: Of the initialisation.
    ema: Whether moving averages are kept.
    init_from: Workdir of another run, what `convert_weights` wrote, or "".
    checkpoints: Those of this run.
    batches: Set to the place where the checkpoint was written.

  Returns:
    The state, and in words where it comes from.

  Raises:
    FileNotFoundError: If `init_from` holds no checkpoint.
    ValueError: If its weights, or the run's own checkpoint, do not fit.
  """
  shape = (1, num_frames, image_size, image_size, 3)
  variables = init_variables(model, shape, jax.random.key(seed))
  origin, step = "from scratch", checkpoints.latest()
  if step is None and init_from:
    loaded = load_variables(init_from)
    variables, fresh = graft(
      variables, loaded, replaceable="params/(head|classifier)/.*"
    )
    origin = f"weights of {init_from}; new: {', '.join(fresh) or 'nothing'}"
  state = create_state(variables, optimizer, ema=ema)
  state = jax.device_put(state, sharding.replicated(mesh))
  if step is not None:
    state = checkpoints.restore(step, state, batches)
    origin = f"resumed {checkpoints.path(step)}"
  return state, origin


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
      or have another shape, and then stay fresh.

  Raises:
    ValueError: Listing `-` leaves that are not loaded, `+` loaded ones that the
      model lacks, `!` shapes that differ.
  """
  target = traverse_util.flatten_dict(fresh, sep="/")
  source = traverse_util.flatten_dict(loaded, sep="/")
  problems = [f"+ {name}" for name in sorted(source.keys() - target.keys())]
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
