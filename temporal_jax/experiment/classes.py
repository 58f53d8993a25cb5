"""How many classes a run has, of one task or of several."""

import ml_collections

from temporal_jax import data
from temporal_jax.training.class_rows import check_distinct

Classes = int | dict[str, int]


def num_classes(config: ml_collections.ConfigDict, videos: data.Videos) -> Classes:
  """Returns the number of classes of the videos, by task if there are several.

  Raises:
    ValueError: If the config says otherwise, two classes have the same name,
      or its loss is for one class a video where they have several.
  """
  names = videos.class_names
  for of_task in data.by_task(names).values():
    check_distinct(of_task, "the data")
  found = len(names)
  if isinstance(names, dict):
    found = {task: len(of) for task, of in names.items()}
  if config.data.num_classes and expected_classes(config) != found:
    raise ValueError(
      f"data.num_classes says {expected_classes(config)}, the videos have "
      f"{found} classes."
    )
  loss = config.loss
  if videos.multi_label and (loss.name != "sigmoid" or loss.label_smoothing):
    raise ValueError(
      "the videos have several classes each, which needs "
      "--config.loss.name=sigmoid and --config.loss.label_smoothing=0; got "
      f"{loss.name!r} and {loss.label_smoothing}."
    )
  return found


def expected_classes(config: ml_collections.ConfigDict) -> Classes:
  """Returns the number of classes that the config says.

  Raises:
    ValueError: If it does not say one number a task.
  """
  tasks, counts = config.data.tasks, config.data.num_classes
  if len(counts) != max(len(tasks), 1):
    raise ValueError(
      "data.num_classes must be one number for each of data.tasks "
      f"{tuple(tasks)}, or a single one without tasks; got {tuple(counts)}."
    )
  return dict(zip(tasks, counts, strict=True)) if tasks else counts[0]
