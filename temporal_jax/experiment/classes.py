"""The number of classes of a run, of one task or of several."""

from collections.abc import Iterator

import ml_collections

from temporal_jax import data
from temporal_jax.training.class_rows import check_distinct, shorten

Classes = int | dict[str, int]


def num_classes(config: ml_collections.ConfigDict, videos: data.Videos) -> Classes:
  """Returns the number of classes of the videos, by task if there are several.

  Raises:
    ValueError: If two classes have the same name; or the config does not fit
      the classes, with all that does not and the flags that would: it has
      another number, it mirrors classes that they are not, or its loss is for
      one class per video where they have several.
  """
  names = videos.class_names
  for of_task in data.by_task(names).values():
    check_distinct(of_task, "the data")
  found = len(names)
  if isinstance(names, dict):
    found = {task: len(of) for task, of in names.items()}
  if misfits := list(_misfits(config, videos, found)):
    raise ValueError(f"{'; '.join(misfits)}.")
  return found


def _misfits(
  config: ml_collections.ConfigDict, videos: data.Videos, found: Classes
) -> Iterator[str]:
  """Yields a clause for each field that does not fit the classes."""
  if config.data.num_classes and expected_classes(config) != found:
    counts = [*found.values()] if isinstance(found, dict) else [found]
    flags = " ".join(f"--config.data.num_classes={count}" for count in counts)
    yield (
      f"data.num_classes is {expected_classes(config)}, the videos have {found} "
      f"classes: {flags}"
    )
  named = {name for pair in config.data.flip_pairs for name in pair}
  if not isinstance(videos.class_names, dict) and (
    unknown := sorted(named - {*videos.class_names})
  ):
    yield (
      f"data.flip_pairs name classes that the videos do not have, {shorten(unknown)}: "
      '--config.data.flip_pairs="()", or pairs of theirs'
    )
  loss = config.loss
  if videos.multi_label and (loss.name != "sigmoid" or loss.label_smoothing):
    yield (
      "the videos have several classes each, which needs "
      "--config.loss.name=sigmoid and --config.loss.label_smoothing=0; got "
      f"{loss.name!r} and {loss.label_smoothing}"
    )


def expected_classes(config: ml_collections.ConfigDict) -> Classes:
  """Returns the number of classes in the config.

  Raises:
    ValueError: If it does not have one number per task.
  """
  tasks, counts = config.data.tasks, config.data.num_classes
  if len(counts) != max(len(tasks), 1):
    raise ValueError(
      "data.num_classes must be one number for each of data.tasks "
      f"{tuple(tasks)}, or a single one without tasks; got {tuple(counts)}."
    )
  return dict(zip(tasks, counts, strict=True)) if tasks else counts[0]
