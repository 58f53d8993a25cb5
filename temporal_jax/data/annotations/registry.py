"""The data sets by name, from a folder of their files as downloaded."""

import functools
import pathlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from temporal_jax.data.annotations.activity_net import read_activity_net
from temporal_jax.data.annotations.charades import read_charades
from temporal_jax.data.annotations.epic_kitchens import read_epic_kitchens
from temporal_jax.data.annotations.hacs import (
  read_hacs_clips,
  read_hacs_segments,
)
from temporal_jax.data.annotations.hmdb51 import read_hmdb51
from temporal_jax.data.annotations.kinetics import read_kinetics
from temporal_jax.data.annotations.merged import merge
from temporal_jax.data.annotations.moments_in_time import read_moments_in_time
from temporal_jax.data.annotations.read_tables import read_names
from temporal_jax.data.annotations.record import Annotations
from temporal_jax.data.annotations.something_something import (
  read_something_something_v1,
  read_something_something_v2,
)
from temporal_jax.data.annotations.ucf101 import read_ucf101

# Class names, one a line, in the order of a network trained elsewhere.
ORDER = "classes.txt"


def open_annotations(name: str, folder: str | pathlib.Path) -> Annotations:
  """Reads a data set from a folder that holds its files.

  | name | files |
  |---|---|
  | k400, k600, k700 | train.csv, validate.csv |
  | k710 | those of k400/, k600/ and k700/ |
  | ssv1 | something-something-v1-{train,validation,labels}.csv |
  | ssv2 | train.json, validation.json, labels.json |
  | mit | trainingSet.csv, validationSet.csv, moments_categories.txt |
  | ek100 | EPIC_100_{train,validation,verb_classes,noun_classes}.csv |
  | anet, anet_multi_label | activity_net.v1-3.min.json |
  | hacs | HACS_segments_v1.1.1.json |
  | hacs_clips | HACS_clips_v1.1.1.csv |
  | charades, charades_parts | Charades_v1_{train,test}.csv, ..._classes.txt |
  | ucf101_1, _2, _3 | classInd.txt, trainlist0N.txt, testlist0N.txt |
  | hmdb51_1, _2, _3 | CLASS_test_splitN.txt |

  Kinetics' classes are in alphabetical order, or in that of a file classes.txt
  beside the others.

  Args:
    name: One of `DATA_SETS`.
    folder: Of the files.

  Raises:
    FileNotFoundError: If a file is missing.
    ValueError: If the name is unknown or a file wrong.
  """
  if name not in DATA_SETS:
    raise ValueError(
      f"annotations must be of one of {', '.join(DATA_SETS)}; got {name!r}."
    )
  return DATA_SETS[name](pathlib.Path(folder).expanduser())


def _kinetics(folder: pathlib.Path) -> Annotations:
  files = {"train": folder / "train.csv", "test": folder / "validate.csv"}
  return read_kinetics(files, class_names=_order(folder))


def _merged_kinetics(folder: pathlib.Path) -> Annotations:
  parts = {part: _kinetics(folder / part) for part in ("k400", "k600", "k700")}
  return merge(parts, class_names=_order(folder))


def _order(folder: pathlib.Path) -> tuple[str, ...]:
  file = folder / ORDER
  return read_names(file) if file.exists() else ()


def _something_something_v1(folder: pathlib.Path) -> Annotations:
  file = "something-something-v1-{}.csv"
  return read_something_something_v1(
    {
      "train": folder / file.format("train"),
      "test": folder / file.format("validation"),
    },
    folder / file.format("labels"),
  )


def _something_something_v2(folder: pathlib.Path) -> Annotations:
  return read_something_something_v2(
    {"train": folder / "train.json", "test": folder / "validation.json"},
    folder / "labels.json",
  )


def _moments_in_time(folder: pathlib.Path) -> Annotations:
  return read_moments_in_time(
    {
      "train": folder / "trainingSet.csv",
      "test": folder / "validationSet.csv",
    },
    folder / "moments_categories.txt",
  )


def _epic_kitchens(folder: pathlib.Path) -> Annotations:
  return read_epic_kitchens(
    {
      "train": folder / "EPIC_100_train.csv",
      "test": folder / "EPIC_100_validation.csv",
    },
    folder / "EPIC_100_verb_classes.csv",
    folder / "EPIC_100_noun_classes.csv",
  )


def _activity_net(folder: pathlib.Path, *, multi_label: bool = False) -> Annotations:
  file = folder / "activity_net.v1-3.min.json"
  return read_activity_net(file, multi_label=multi_label)


def _hacs(folder: pathlib.Path) -> Annotations:
  return read_hacs_segments(folder / "HACS_segments_v1.1.1.json")


def _hacs_clips(folder: pathlib.Path) -> Annotations:
  return read_hacs_clips(folder / "HACS_clips_v1.1.1.csv")


def _charades(folder: pathlib.Path, *, parts: tuple[str, ...] = ()) -> Annotations:
  return read_charades(
    {
      "train": folder / "Charades_v1_train.csv",
      "test": folder / "Charades_v1_test.csv",
    },
    folder / "Charades_v1_classes.txt",
    parts=parts,
  )


DATA_SETS: Mapping[str, Callable[[pathlib.Path], Annotations]] = MappingProxyType(
  {
    "k400": _kinetics,
    "k600": _kinetics,
    "k700": _kinetics,
    "k710": _merged_kinetics,
    "ssv1": _something_something_v1,
    "ssv2": _something_something_v2,
    "mit": _moments_in_time,
    "ek100": _epic_kitchens,
    "anet": _activity_net,
    "anet_multi_label": functools.partial(_activity_net, multi_label=True),
    "hacs": _hacs,
    "hacs_clips": _hacs_clips,
    "charades": _charades,
    "charades_parts": functools.partial(_charades, parts=("train",)),
  }
  | {
    f"{name}_{split}": functools.partial(read, split=split)
    for name, read in (("ucf101", read_ucf101), ("hmdb51", read_hmdb51))
    for split in (1, 2, 3)
  }
)
