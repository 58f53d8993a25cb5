"""Which classes of the weights that a run starts from are its own."""

import ml_collections

from temporal_jax import data, inference, training
from temporal_jax.experiment.components import Parts
from temporal_jax.experiment.network import create_network
from temporal_jax.experiment.settings import clip_shape


def class_rows(
  config: ml_collections.ConfigDict, parts: Parts, names: data.ClassNames
) -> dict[str, training.ClassRows]:
  """Matches the classes of `init_from` with those of the data, by name.

  Args:
    config: The run's config.
    parts: The run's network and its number of classes.
    names: Names of the classes of the data.

  Returns:
    For each leaf of the variables that has an entry per class, where they come
    from; {} if the weights have the same classes in the same order, or none.

  Raises:
    ValueError: If classes of the weights, or of the data, share a name.
  """
  description = inference.read_description(config.init_from) or {}
  own = data.by_task(names)
  loaded = data.by_task(inference.described_classes(description))
  # Without a model.json, the weights may have as many classes as the data.
  sizes = description.get("num_classes", parts.classes)
  sizes = sizes if isinstance(sizes, dict) else {"": sizes}
  matches = {
    task: training.match_classes(loaded.get(task, ()), of_task, num_loaded=sizes[task])
    for task, of_task in own.items()
    if sizes.get(task)
  }
  if not any(match.words for match in matches.values()):
    return {}
  axes = _class_axes(config, parts)
  return {
    name: training.ClassRows(axis, task, matches[task])
    for name, (axis, task) in axes.items()
    if task in matches
  }


def _class_axes(
  config: ml_collections.ConfigDict, parts: Parts
) -> dict[str, tuple[int, str]]:
  """Returns axis and task of the leaves that have an entry per class.

  A network with more classes shows which they are, whatever its head is.
  """
  classes = parts.classes
  if isinstance(classes, dict):
    growth = {task: more for more, task in enumerate(classes, start=1)}
    larger = {task: classes[task] + more for task, more in growth.items()}
  else:
    growth, larger = {"": 1}, classes + 1
  grown = training.variable_shapes(create_network(config, larger), clip_shape(config))
  shapes = {
    "params": parts.shapes.params,
    "batch_stats": parts.shapes.batch_stats,
  }
  return training.class_axes(shapes, grown, growth)
