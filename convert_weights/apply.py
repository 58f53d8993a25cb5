"""Second step of a conversion: computes values, from tensors or to tensors."""

import fnmatch
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np
from absl import logging

from convert_weights import changes, registry
from convert_weights.checkpoint_format import NOTHING, SKIP
from convert_weights.plan import (
  allowed_leaves,
  build_network,
  clip_shape,
  plan_conversion,
)
from convert_weights.planning.conversion_plan import ConversionPlan
from convert_weights.planning.mapping import find_ways, map_tensors
from convert_weights.reading import Settings, non_finite, release
from convert_weights.rules import Rule
from temporal_jax.models.inspect.variables import count_classes, differing
from temporal_jax.training.host_init import run_on_host


def convert(
  model_name: str,
  tensors: Mapping[str, np.ndarray],
  *,
  source: str | None = None,
  prefix: str | None = None,
  num_classes: int | Mapping[str, int] | None = None,
  allow_missing: Sequence[str] = (),
  allow_non_finite: Sequence[str] = (),
  inflation: str = "centre",
  channels: int = 3,
  seed: int = 0,
  settings: Settings = NOTHING,
  **model_overrides: Any,
) -> dict[str, Any]:
  """Makes the variables of a network of a checkpoint's tensors.

  It is planned by `plan_conversion` and made by `apply_plan`. Every leaf is
  made exactly once and every tensor is used, or skipped for a reason that its
  source names. What an image network lacks keeps its initial values.

  Args:
    model_name: Name of the network in the catalog.
    tensors: Arrays by their names in the checkpoint, as `read` gives them.
    source: Name in `SOURCES`; by default it is inferred from the names.
    prefix: First part of the network's names, e.g. "model."; other tensors stay
      unused. By default the only one without which the names are of a source.
    num_classes: Classes of the network, by default the checkpoint's. If they
      differ, the classifier keeps its initial values.
    allow_missing: Shell patterns of leaves, e.g. "head/*", that keep their
      initial values if the tensors do not make them.
    allow_non_finite: Shell patterns of tensors that may hold NaN or infinity.
    inflation: Way of making video kernels from image kernels, see
      `changes.inflate`.
    channels: Channels of a frame; for others than three a stem takes the mean
      over R, G and B.
    seed: Seed of the initial values.
    settings: Settings of the network in the checkpoint: `read(path).settings`.
    **model_overrides: Arguments of `temporal_jax.create_model`.

  Returns:
    {"params", "batch_stats"} in float32; the second only if there are any.

  Raises:
    ValueError: If anything does not fit; all of it is listed.

  Warns:
    UserWarning: If an argument that the tensors do not show, e.g. the
      activation of a CLIP, is neither in `settings` nor given.
  """
  plan = plan_conversion(
    model_name,
    tensors,
    source=source,
    prefix=prefix,
    num_classes=num_classes,
    allow_missing=allow_missing,
    channels=channels,
    settings=settings,
    **model_overrides,
  )
  for line in plan.interpolated:
    logging.warning("%s: %s", model_name, line)
  for line in plan.assumed:
    warnings.warn(line, UserWarning, stacklevel=2)
  return apply_plan(
    plan,
    tensors,
    allow_non_finite=allow_non_finite,
    inflation=inflation,
    seed=seed,
  )


def apply_plan(
  plan: ConversionPlan,
  tensors: Mapping[str, Any],
  *,
  allow_non_finite: Sequence[str] = (),
  inflation: str = "centre",
  seed: int = 0,
  progress: Callable[[Sequence], Iterable] = iter,
) -> dict[str, Any]:
  """Computes the variables of a network as planned.

  Args:
    plan: Result of `plan_conversion`.
    tensors: Arrays of the names and shapes that it was made for.
    allow_non_finite: See `convert`.
    inflation: See `convert`.
    seed: See `convert`.
    progress: Passes on the items of an iterable, and shows the progress.

  Raises:
    ValueError: If a tensor holds NaN or infinity; all such are listed.
  """
  changes.check_inflation(inflation)
  used = {name for step in plan.mapping.steps for name in step.tensors}
  broken = [
    name
    for name in non_finite({name: tensors[name] for name in sorted(used)})
    if not any(fnmatch.fnmatchcase(name, glob) for glob in allow_non_finite)
  ]
  if broken:
    raise ValueError(f"NaN or infinity in {broken}, not allowed by name.")
  leaves = trees.flatten_dict(plan.target, sep="/")
  made = _initial(plan, seed)
  for step in progress(plan.mapping.steps):
    shape = leaves[step.leaf].shape
    value = step.apply(tensors, shape, inflation)
    made[step.leaf] = jnp.array(value, jnp.float32)
    for name in step.tensors:
      release(tensors[name])
  return trees.unflatten_dict({path: made[path] for path in leaves}, sep="/")


def to_torch(
  model_name: str,
  variables: Mapping[str, Any],
  *,
  source: str,
  num_classes: int | Mapping[str, int] | None = None,
  leave_out: Sequence[str] = (),
  channels: int = 3,
  **model_overrides: Any,
) -> dict[str, np.ndarray]:
  """Makes a state dict in the naming of a source: `convert` backwards.

  Args:
    model_name: Name of the network in the catalog.
    variables: Variables of that network.
    source: Name in `SOURCES`.
    num_classes: Classes of the network, by default the variables'.
    leave_out: Shell patterns of leaves, e.g. "head/*", that get no tensors, for
      sources without a classifier.
    channels: Channels of a frame.
    **model_overrides: Arguments of `temporal_jax.create_model`.

  Returns:
    Arrays by name, with the counters that torch's batch norms keep, at zero.

  Raises:
    ValueError: If the source does not name such a network, the variables do not
      fit it, or a pattern in `leave_out` matches no leaf.
  """
  naming = registry.find_source(source)
  shape = clip_shape(model_name, model_overrides, channels)
  if num_classes is None:
    num_classes = count_classes(variables)
  built = build_network(model_name, shape, num_classes=num_classes, **model_overrides)
  if built is None or not naming.takes(built[0]):
    raise ValueError(f"source {source!r} has no names for {model_name}.")
  network, target = built
  if wrong := differing(target, variables):
    raise ValueError(f"these variables are not of {model_name}: {wrong}.")
  kept = _without(variables, allowed_leaves(leave_out, target))
  try:
    tensors = revert_rules(naming.rules(network), kept)
  except ValueError as error:
    raise ValueError(
      f"source {source!r} cannot name all of {model_name}: {error}"
    ) from None
  tensors = {name: np.asarray(value) for name, value in tensors.items()}
  means = [name for name in tensors if name.endswith(".running_mean")]
  counters = [f"{n.rpartition('.')[0]}.num_batches_tracked" for n in means]
  return tensors | {name: np.zeros((), np.int64) for name in counters}


def apply_rules(
  rules: Sequence[Rule],
  tensors: Mapping[str, Any],
  target: Mapping[str, Any],
  *,
  skip: Iterable[str] = SKIP,
) -> dict[str, Any]:
  """Makes every leaf of `target` of `tensors`, each exactly once.

  Args:
    rules: See `map_tensors`.
    tensors: Arrays by their names in the source.
    target: See `map_tensors`.
    skip: Regular expressions of tensors that may stay unused.

  Raises:
    ValueError: If a leaf is not made ("-"), a tensor is not used ("+"), or a
      shape differs ("!"); all of them are listed.
  """
  reasons = dict.fromkeys(skip, "unused")
  mapping = map_tensors(rules, tensors, target, skip=reasons)
  if mapping.problems:
    lines = "\n".join(mapping.problems)
    raise ValueError(f"the weights do not fit:\n{lines}")
  leaves = trees.flatten_dict(target, sep="/")
  made = {
    step.leaf: step.apply(tensors, leaves[step.leaf].shape) for step in mapping.steps
  }
  return trees.unflatten_dict(made, sep="/")


def revert_rules(
  rules: Sequence[Rule], variables: Mapping[str, Any]
) -> dict[str, jax.Array]:
  """Makes the source's tensors of `variables`: `apply_rules` backwards.

  Raises:
    ValueError: If no rule makes a leaf, or one changes values on the way.
  """
  tensors = {}
  for path, leaf in trees.flatten_dict(variables, sep="/").items():
    ways = find_ways(rules, path)
    if not ways:
      raise ValueError(f"- {path} {leaf.shape}: no rule makes it")
    # Rules that inflate, or that refuse tensors, make leaves of other ranks.
    fits = (way for way in ways if leaf.ndim == way.rule.rank())
    if (step := next(fits, None)) is None:
      raise ValueError(f"! {path} {leaf.shape}: its rule has no way back")
    for name, value in zip(step.tensors, step.rule.revert(leaf), strict=True):
      # Parts that other leaves have are zeros.
      is_part = step.rule.picks is not None and name in tensors
      tensors[name] = tensors[name] + value if is_part else value
  return tensors


def _without(variables: Mapping[str, Any], regexes: Iterable[str]) -> dict[str, Any]:
  """Returns variables without the leaves that expressions match."""
  kept = {
    path: leaf
    for path, leaf in trees.flatten_dict(variables, sep="/").items()
    if not any(re.fullmatch(regex, path) for regex in regexes)
  }
  return trees.unflatten_dict(kept, sep="/")


def _initial(plan: ConversionPlan, seed: int) -> dict[str, jax.Array]:
  """Returns the initial values of the leaves that stay new.

  Only these are computed.
  """

  def some(key):
    clip = jnp.zeros((1, *plan.clip_shape))
    leaves = trees.flatten_dict(plan.network.init(key, clip), sep="/")
    return {path: leaves[path] for path in plan.mapping.new}

  if not plan.mapping.new:
    return {}
  return run_on_host(some, jax.random.key(seed))
