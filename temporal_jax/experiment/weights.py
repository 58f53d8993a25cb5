"""Fits the weights that a run starts from to its network."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import ml_collections
from flax import traverse_util

from temporal_jax import data, inference, models, training
from temporal_jax.data.annotations import KINETICS_710_NAMES
from temporal_jax.experiment.components import RunComponents
from temporal_jax.experiment.network import create_network
from temporal_jax.experiment.settings import RunSettings

# The first layer of a branch of TAdaFormer, which sees one frame or three.
_PROJECTION = r"params/(visual/)?block\d+/attention_branch/expand/kernel"
# Learned positions of a ViT's frames.
_POSITIONS = r"params/(visual/)?temporal_embedding"


def fitting(
  settings: RunSettings,
  components: RunComponents,
  names: data.ClassNames,
  loaded: Any,
) -> training.Fitting:
  """Returns the leaves of the weights of `init_from` that may differ.

  Args:
    settings: The run's settings.
    components: The run's network and its number of classes.
    names: Names of the classes of the data.
    loaded: Variables of the weights.

  Raises:
    ValueError: See `class_rows`.
  """
  description = inference.read_description(settings.config.init_from) or {}
  operator = _operator_leaves(settings, components, description, loaded)
  operator |= _positions_of_one(loaded, _own_shapes(components))
  return training.Fitting(
    rows=class_rows(settings, components, names),
    operator=operator,
    inflated=_inflated(operator, loaded, _own_shapes(components)),
    untrained=inference.untrained_leaves(description),
  )


def class_rows(
  settings: RunSettings, components: RunComponents, names: data.ClassNames
) -> dict[str, training.ClassRows]:
  """Matches the classes of `init_from` with the data's, by name.

  Classes of Kinetics may have their name in Kinetics-710, or that in a part.

  Args:
    settings: The run's settings.
    components: The run's network and its number of classes.
    names: Names of the classes of the data.

  Returns:
    For each leaf of the variables that has an entry per class, where they come
    from; {} if the weights have the same classes in the same order, or none.

  Raises:
    ValueError: If classes of the weights, or of the data, share a name.
  """
  description = inference.read_description(settings.config.init_from) or {}
  own = data.by_task(names)
  loaded = data.by_task(inference.described_classes(description))
  # Without a model.json, the weights may have as many classes as the data.
  sizes = description.get("num_classes", components.classes)
  sizes = sizes if isinstance(sizes, dict) else {"": sizes}
  matches = {
    task: training.match_classes(
      loaded.get(task, ()), of_task, num_loaded=sizes[task], same=KINETICS_710_NAMES
    )
    for task, of_task in own.items()
    if sizes.get(task)
  }
  if not any(match.words for match in matches.values()):
    return {}
  axes = _class_axes(settings, components)
  return {
    name: training.ClassRows(axis, task, matches[task])
    for name, (axis, task) in axes.items()
    if task in matches
  }


def _class_axes(
  settings: RunSettings, components: RunComponents
) -> dict[str, tuple[int, str]]:
  """Returns axis and task of the leaves that have an entry per class.

  A network with more classes shows which they are, whatever its head is.
  """
  classes = components.classes
  if isinstance(classes, dict):
    growth = {task: more for more, task in enumerate(classes, start=1)}
    larger = {task: classes[task] + more for task, more in growth.items()}
  else:
    growth, larger = {"": 1}, classes + 1
  grown = training.variable_shapes(
    create_network(settings.config, larger), settings.clip_shape
  )
  return training.class_axes(_own_shapes(components), grown, growth)


def _operator_leaves(
  settings: RunSettings,
  components: RunComponents,
  description: Mapping[str, Any],
  loaded: Any,
) -> set[str]:
  """Returns the leaves of the temporal operators, where the two differ.

  {} where they are the same, or it is not known which the weights have.
  """
  if not description:
    return set()
  own_model = settings.config.model
  name, overrides = description["model"], dict(description["overrides"])
  theirs = overrides.pop("temporal", "default")
  if _operator(name, theirs) == _operator(own_model.name, own_model.temporal):
    return set()
  overrides.pop("dtype", None)
  without = models.create_model(
    name,
    num_classes=description["num_classes"],
    temporal="none",
    **overrides,
  )
  plain = training.variable_shapes(without, (1, *description["clip_shape"]))
  own_plain = training.variable_shapes(
    create_network(_without_operator(settings.config), components.classes),
    settings.clip_shape,
  )
  own = _own_shapes(components)
  return (_names(loaded) - _names(plain)) | (_names(own) - _names(own_plain))


def _positions_of_one(loaded: Any, own: Any) -> set[str]:
  """Returns the positions of frames that only one of two networks has.

  They belong to operators over time: a network of single frames has none.
  """
  only_one = _names(loaded) ^ _names(own)
  return {name for name in only_one if re.fullmatch(_POSITIONS, name)}


def _inflated(operator: Collection[str], loaded: Any, own: Any) -> Collection[str]:
  """Returns the projections that see one frame, and three in the run's network.

  So a TAdaFormer of Kinetics, with one branch per block, starts one of
  Something-Something, whose first of two branches is the same except for that.
  The paper does not state how, and the code refuses it.
  """
  theirs, ours = (traverse_util.flatten_dict(tree, sep="/") for tree in (loaded, own))
  return {
    name
    for name in operator & theirs.keys() & ours.keys()
    if re.fullmatch(_PROJECTION, name) and theirs[name].shape == ours[name].shape[1:]
  }


def _operator(name: str, temporal: str) -> str:
  """Returns the name of the operator in a network of the catalog."""
  if temporal == "default":
    return models.find_model(name).temporal
  return temporal


def _without_operator(
  config: ml_collections.ConfigDict,
) -> ml_collections.ConfigDict:
  config = config.copy_and_resolve_references()
  config.model.temporal = "none"
  return config


def _own_shapes(components: RunComponents) -> dict[str, Any]:
  """Returns the shapes of the run's own variables, without adapters."""
  state = components.shapes
  params = training.without_factors(state.params)
  return {"params": params, "batch_stats": state.batch_stats}


def _names(variables: Any) -> set[str]:
  return set(traverse_util.flatten_dict(variables, sep="/"))
