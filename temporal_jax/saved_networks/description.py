"""`model.json`, which describes a saved network: read and written."""

import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from absl import logging

from temporal_jax.data.labels import ClassNames
from temporal_jax.saved_networks.variables import digest_of_leaves
from temporal_jax.storage import write_text
from temporal_jax.training.load_variables import CHECKPOINTS
from temporal_jax.untrusted import fields
from temporal_jax.untrusted.json_text import parse_json, read_json

DESCRIPTION = "model.json"
# Version 1 has the fields of the schemas. Files without a version are older and
# may have any other fields; fields of a newer version may mean something else.
FORMAT_VERSION = 1
# A report of a conversion has a line for each of some thousand leaves, and
# 100,000 class names have some 5 MB.
MAX_BYTES = 16 * 2**20
# ImageNet-21k has 21,841 classes, the largest video data sets some thousands.
MAX_CLASSES = 100_000
MAX_TASKS = 64

CLASSIFICATION, LOCALIZATION = "classification", "localization"
# Task -> a description of it, and of the program that takes its networks.
_TASKS: Mapping[str, str] = MappingProxyType(
  {
    CLASSIFICATION: "a network that classifies clips, which `temporal_jax.Predictor` "
    "and `temporal-jax predict` take",
    LOCALIZATION: "a detector of segments, which `temporal_jax.Localizer` and "
    "`temporal-jax localize` take",
  }
)
_COUNT = fields.whole(1, MAX_CLASSES)
_NAMES = fields.list_of(fields.text(1000), 0, MAX_CLASSES)
_SHA256 = fields.null_or(fields.text(64))


class Schema(NamedTuple):
  """Fields of the `model.json` of a kind of networks, and their checks.

  Attributes:
    task: Task of these networks, a key of the known tasks.
    fields: The check of each field.
    needed: Fields that must be there.
    check: Called with the file and the description, whose fields are checked
      one by one; raises ValueError if they do not fit each other.
  """

  task: str
  fields: Mapping[str, fields.Check]
  needed: Sequence[str]
  check: Callable[[str, Mapping[str, Any]], None]


def or_by_task(check: fields.Check) -> fields.Check:
  """Allows the values of a check, or an object of them by task."""
  by_task = fields.object_of(check, MAX_TASKS)

  def check_either(where: str, value: Any) -> None:
    (by_task if isinstance(value, dict) else check)(where, value)

  return check_either


def _lists(where: str, value: Any) -> None:
  """Allows the number of videos and the digests of each list of a run."""
  needed = {"videos": fields.whole(0, 2**62), "sha256": _SHA256}
  known = {**needed, "features": _SHA256}
  fields.object_of(
    lambda place, one: fields.check_members(place, one, known, needed) and None,
    MAX_TASKS,
  )(where, value)


# Fields of all networks; `overrides` are checked by each schema.
COMMON_FIELDS: Mapping[str, fields.Check] = MappingProxyType(
  {
    "format_version": fields.whole(1, FORMAT_VERSION),
    "task": fields.one_of(_TASKS),
    "overrides": fields.anything,
    "num_classes": fields.null_or(or_by_task(_COUNT)),
    "class_names": fields.null_or(or_by_task(_NAMES)),
    "lists": _lists,
    "source": fields.anything,
    "report": fields.anything,
    "notes": fields.anything,
    "license": fields.null_or(fields.text(100_000)),
    "leaves": _SHA256,
    "sha256": _SHA256,
  }
)


def check_description(where: str, description: Any, schema: Schema) -> None:
  """Checks the fields of a `model.json`; nothing of its sizes is allocated.

  Members that are not known are named in a warning if the file has no version.

  Args:
    where: The file, for messages.
    description: Its JSON value.
    schema: Schema of the file.

  Raises:
    ValueError: If the file is of a newer version than `FORMAT_VERSION` or
      describes a network for another task, a field is missing, unknown or not
      allowed, or fields do not fit each other; the message names the field.
  """
  _check_version(where, description)
  _check_task(where, description, schema.task)
  unknown = fields.check_members(where, description, schema.fields, schema.needed)
  report_unknown(where, unknown, schema.fields, description.get("format_version"))
  schema.check(where, description)


def as_written(
  description: Mapping[str, Any], schema: Schema, where: str = DESCRIPTION
) -> dict[str, Any]:
  """Returns a description as a file of this version holds it.

  Raises:
    ValueError: If it is no JSON, or see `check_description`.
  """
  try:
    text = json.dumps({"format_version": FORMAT_VERSION, **description})
  except (TypeError, ValueError, RecursionError) as error:
    raise ValueError(f"{where} cannot be written as JSON: {error}.") from None
  written = parse_json(text, where)
  check_description(where, written, schema)
  return written


def write_description(
  directory: pathlib.Path,
  description: Mapping[str, Any],
  variables: Mapping[str, Any],
  schema: Schema,
) -> None:
  """Writes `model.json`, never half.

  Args:
    directory: The folder to write to.
    description: JSON of the schema's fields.
    variables: {"params", "batch_stats"} that fit the network, or their shapes.
      The digest of their names and shapes is added.
    schema: Schema of the file.

  Raises:
    ValueError: See `check_description`.
  """
  description = as_written(description, schema)
  shapes = {"batch_stats": {}, **variables}
  description["leaves"] = digest_of_leaves(description, shapes)
  write_text(directory / DESCRIPTION, json.dumps(description, indent=2) + "\n")


def read_description(
  directory: str | os.PathLike, schema: Schema
) -> dict[str, Any] | None:
  """Reads the `model.json` of a directory.

  Args:
    directory: Folder that `convert_weights` wrote, the workdir of a run, or its
      folder of checkpoints.
    schema: Schema of the file.

  Returns:
    Its content; None if there is none.

  Raises:
    ValueError: See `read_json` and `check_description`.
  """
  directory = pathlib.Path(directory).expanduser()
  path = directory / DESCRIPTION
  if not path.exists() and directory.name == CHECKPOINTS:
    path = directory.parent / DESCRIPTION
  if not path.exists():
    return None
  description = read_json(path, max_bytes=MAX_BYTES)
  check_description(str(path), description, schema)
  return description


def described_task(directory: str | os.PathLike) -> str:
  """Returns the task of a network's directory, from its `model.json`.

  Without a task, or without the file, it is the classification of clips:
  reading such a directory then raises an error.

  Raises:
    ValueError: See `read_json`.
  """
  path = pathlib.Path(directory).expanduser() / DESCRIPTION
  found = read_json(path, max_bytes=MAX_BYTES) if path.exists() else {}
  task = found.get("task") if isinstance(found, dict) else None
  return task if isinstance(task, str) and task in _TASKS else CLASSIFICATION


def described_classes(description: Mapping[str, Any]) -> ClassNames:
  """Returns the class names of a `model.json`; () if they are not known."""
  names = description.get("class_names")
  if isinstance(names, dict):
    return {task: tuple(of_task) for task, of_task in names.items()}
  return tuple(names or ())


def _check_version(where: str, description: Any) -> None:
  """Raises ValueError at files that only a newer package can read."""
  version = description.get("format_version") if isinstance(description, dict) else 1
  if type(version) is int and version > FORMAT_VERSION:
    raise ValueError(
      f"{where}: format_version must be at most {FORMAT_VERSION}, got {version}: a "
      "newer temporal_jax wrote the file, and reads it."
    )


def _check_task(where: str, description: Any, task: str) -> None:
  """Raises ValueError if a network is known to be for another task."""
  found = task
  if isinstance(description, dict):
    found = description.get("task", CLASSIFICATION)
  if found != task and isinstance(found, str) and found in _TASKS:
    wanted = _TASKS[task].partition(",")[0]
    raise ValueError(f"{where} must describe {wanted}; it is of {_TASKS[found]}.")


def report_unknown(
  where: str,
  unknown: Sequence[str],
  known: Mapping[str, Any],
  version: int | None,
) -> None:
  """Refuses unknown members of a version, and warns of those without one.

  Args:
    where: Place of the object.
    unknown: Its members that are not known.
    known: Those that are; near names are suggested.
    version: Format version of the file, None if it has none.

  Raises:
    ValueError: If there are unknown members and a version.
  """
  if not unknown:
    return
  words = fields.unknown_members(where, unknown, list(known))
  if version is not None:
    raise ValueError(words)
  logging.warning("%s They are not used.", words)


def check_class_names(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError if names are there twice, or not one for each class.

  Args:
    where: The file, for messages.
    description: Its fields, checked one by one.
  """
  names, counts = description["class_names"], description["num_classes"]
  if not names:
    return
  several = names if isinstance(names, dict) else {"": names}
  for task, of_task in several.items():
    place = f"{where}: class_names" + (f".{task}" if task else "")
    if len({*of_task}) < len(of_task):
      first: dict[str, int] = {}
      for number, name in enumerate(of_task):
        if first.setdefault(name, number) != number:
          raise ValueError(
            f"{place} must be distinct, got {name!r} as the names of classes "
            f"{first[name]} and {number}."
          )
  given = len(names)
  if isinstance(names, dict):
    given = {task: len(of_task) for task, of_task in names.items()}
  if counts is not None and given != counts:
    raise ValueError(
      f"{where}: class_names must name the {counts} classes of num_classes, "
      f"got {given} names."
    )
