"""The data sets by name, read from the modules beside this one.

A module that declares `DATA_SETS`, names and what is known of each, adds them;
no other file has to know it.
"""

import importlib
import pathlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.record import Annotations
from temporal_jax.lookup import lookup


def find_data_sets() -> Iterator[tuple[str, Mapping[str, DataSet]]]:
  """Yields each module that declares data sets, and what it declares."""
  folder = str(pathlib.Path(__file__).parent)
  for name in sorted(found.name for found in pkgutil.iter_modules([folder])):
    module = importlib.import_module(f"{__package__}.{name}")
    if module.__name__ != __name__ and hasattr(module, "DATA_SETS"):
      yield name, module.DATA_SETS


DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
  {name: one for _, declared in find_data_sets() for name, one in declared.items()}
)


def open_annotations(name: str, folder: str | pathlib.Path) -> Annotations:
  """Reads a data set from a folder that holds its files.

  docs/annotations.md lists the names and the files of each. Kinetics' classes
  are in alphabetical order, or in the order of classes.txt in the folder.

  Args:
    name: One of `DATA_SETS`.
    folder: Folder of the files.

  Raises:
    FileNotFoundError: If a file is missing.
    ValueError: If the name is unknown or a file wrong.
  """
  data_set = lookup(DATA_SETS, name, "annotations")
  return data_set.read(pathlib.Path(folder).expanduser())
