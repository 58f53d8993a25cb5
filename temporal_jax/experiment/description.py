"""Writes a run's model.json, which describes its network for later use.

A later start of the run reads it too, and is compared with the first one.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from temporal_jax import data, inference, training
from temporal_jax.experiment.classes import num_classes
from temporal_jax.experiment.network import network_arguments
from temporal_jax.experiment.settings import RunSettings
from temporal_jax.training.class_rows import shorten

Description = Mapping[str, Any]
# Split -> {"videos": number of them, "sha256": digest of their list}; of
# films also "features": digest of samples of their files.
Lists = Mapping[str, Mapping[str, Any]]
_LISTS = {"train": "training", "test": "test"}


def describe(
  settings: RunSettings,
  videos: data.Videos,
  earlier: Description | None = None,
) -> dict[str, Any]:
  """Returns the model.json that `inference.load_model` reads.

  Args:
    settings: The run's settings.
    videos: The run's videos.
    earlier: See `earlier_description`; its lists of videos are kept, so that
      later starts are compared with the first one.
  """
  config, test = settings.config, settings.protocol
  return {
    "model": config.model.name,
    "overrides": network_arguments(config),
    "num_classes": num_classes(config, videos),
    "clip_shape": (
      test.num_frames,
      test.crop_size,
      test.crop_size,
      settings.clip_shape[-1],
    ),
    "class_names": videos.class_names,
    "multi_label": videos.multi_label,
    "pixels": settings.pixels,
    "protocol": dataclasses.asdict(test),
    "trained_with": {
      name: config.data[name] for name in ("num_frames", "image_size", "short_side")
    },
    "lists": (earlier or {}).get("lists") or describe_lists(videos),
  }


def earlier_description(
  workdir: pathlib.Path,
  read: Callable[[pathlib.Path], Description | None] = inference.read_description,
) -> Description | None:
  """Returns the model.json of a run that will be resumed.

  None where there is no checkpoint, so that nothing of the run depends on
  the records of an earlier start.

  Args:
    workdir: Folder of the run.
    read: Reads the model.json of a folder.

  Raises:
    ValueError: If it is not JSON.
  """
  if not training.has_checkpoint(workdir):
    return None
  return read(workdir)


def in_order_of(
  earlier: Description | None,
  sources: Mapping[str, data.Source],
  workdir: pathlib.Path,
) -> dict[str, data.Source]:
  """Returns the sources with their classes numbered as the run has them.

  Args:
    earlier: See `earlier_description`.
    sources: The videos, by split.
    workdir: Folder of the run.

  Raises:
    ValueError: If the classes differ from the run's; it names them.
  """
  order = inference.described_classes(earlier or {})
  if not order:
    return dict(sources)
  own = data.by_task(sources["train"].class_names)
  known = data.by_task(order)
  if list(own) != list(known):
    raise ValueError(
      f"the data has {_tasks(own)}, but {workdir} was trained with "
      f"{_tasks(known)}: take a new --workdir with "
      f"--config.init_from={workdir}."
    )
  for task, names in own.items():
    new = [name for name in names if name not in set(known[task])]
    gone = [name for name in known[task] if name not in set(names)]
    if new or gone:
      changes = [
        f"{what} {shorten(some)}"
        for what, some in (("new", new), ("gone", gone))
        if some
      ]
      raise ValueError(
        f"the classes {f'of {task} ' if task else ''}of the data are not those "
        f"that {workdir} was trained with: {', '.join(changes)}. Labels would "
        "change their meaning: give the classes their former names, or take a "
        f"new --workdir with --config.init_from={workdir}, which takes its "
        "head over by the classes' names."
      )
  if own == known:
    return dict(sources)
  return {
    split: data.ReorderedSource(source, order) for split, source in sources.items()
  }


def describe_lists(videos: data.Videos) -> Lists:
  """Returns the number of videos and the digest of each list, as JSON."""
  counts = {"train": videos.num_train, "test": videos.num_test}
  return {
    split: {"videos": count, "sha256": videos.fingerprints[split]}
    for split, count in counts.items()
  }


def differences(earlier: Description | None, lists: Lists) -> list[str]:
  """Returns the changes of the lists of videos and of model.json, in words.

  Args:
    earlier: See `earlier_description`.
    lists: The run's lists, see `describe_lists`.
  """
  before = (earlier or {}).get("lists", {})
  notes = []
  if temperature := (earlier or {}).get("temperature"):
    notes.append(
      f"the temperature {temperature} of model.json is left out, because training "
      "changes the network; fit it again when the run is complete"
    )
  for split, listed in lists.items():
    old = before.get(split)
    if old is None:
      continue
    # Clips, and runs of older versions, have none.
    features = (old.get("features"), listed.get("features"))
    if None not in features and features[0] != features[1]:
      notes.append(
        f"the features of the {_LISTS[split]} films changed since the run began; "
        "scores are not comparable with earlier ones"
      )
    if all(old[name] == listed[name] for name in ("videos", "sha256")):
      continue
    notes.append(
      f"the {_LISTS[split]} list changed: {listed['videos']} videos, before "
      f"{old['videos']}; "
      + (
        "the order in training differs"
        if split == "train"
        else "scores are not comparable with earlier ones"
      )
    )
  return notes


def _tasks(names: Mapping[str, Any]) -> str:
  """Returns the names of the tasks, in words."""
  return "one task without a name" if [*names] == [""] else f"tasks {[*names]}"
