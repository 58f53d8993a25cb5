"""Arrays of HDF5 files whose sizes and types are known before they are read."""

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from temporal_jax.untrusted.npy import Declared, check_regular, declare
from temporal_jax.untrusted.sizes import check_unpacked

if TYPE_CHECKING:
  import h5py

# Errors that h5py raises for damaged files.
_BROKEN = (
  ValueError,
  KeyError,
  TypeError,
  AttributeError,
  RuntimeError,
  MemoryError,
  OverflowError,
  OSError,
)
# Filters that h5py contains, by number: gzip, shuffle, checksum, szip, lzf.
# Others would load programs from this machine.
_FILTERS = {1, 2, 3, 4, 32000}
_NAMED = 5  # Arrays that a message names, at most.


class Hdf5:
  """An open HDF5 file."""

  def __init__(self, file: "h5py.File"):
    """Takes the opened file."""
    self._file = file

  def __contains__(self, name: str) -> bool:
    """Whether there is an array, or a group that holds one array only."""
    return self._find(name) is not None

  def declare(self, name: str) -> Declared:
    """Returns an array's description; its values are not read.

    Raises:
      ValueError: If it is missing, no array of numbers, or not in the file
        itself, or see `check_unpacked`.
    """
    dataset = self._dataset(name)
    return declare(dataset.shape, dataset.dtype)

  def read(self, name: str) -> np.ndarray:
    """Returns an array.

    Raises:
      ValueError: See `declare`.
    """
    return self._dataset(name)[()]

  def number(self, name: str, attribute: str) -> float | None:
    """Returns a number that an array, or else the file, has as attribute.

    Raises:
      ValueError: If it is no number.
    """
    for owner in (self._dataset(name), self._file):
      if attribute in owner.attrs:
        stored = owner.attrs.get_id(attribute)
        if stored.dtype.kind not in "fiu" or stored.shape not in ((), (1,)):
          raise ValueError(
            f"the attribute {attribute} must be one number, got "
            f"{str(stored.dtype)[:40]} of {stored.shape}"
          )
        return float(np.reshape(owner.attrs[attribute], ()))
    return None

  def _dataset(self, name: str) -> "h5py.Dataset":
    """Returns an array that is safe to read."""
    import h5py

    found = self._find(name)
    if not isinstance(found, h5py.Dataset):
      names = sorted(self._file)
      wanted = (
        f"there is no array {name[:80]!r}" if name else "there is no single array"
      )
      more = ", ..." if len(names) > _NAMED else ""
      raise ValueError(
        f"{wanted}, but {[one[:80] for one in names[:_NAMED]]}{more} ({len(names)})"
      )
    creation = found.id.get_create_plist()
    filters = {
      creation.get_filter(place)[0] for place in range(creation.get_nfilters())
    }
    if found.is_virtual or creation.get_external_count():
      raise ValueError(f"the values of {name[:80]!r} are in other files")
    if not filters <= _FILTERS:
      raise ValueError(f"{name[:80]!r} is compressed as h5py by itself never does")
    if found.shape is None:
      raise ValueError(f"{name[:80]!r} is empty")
    # The values that were never written take no place in the file.
    declared = declare(found.shape, found.dtype)
    size = max(declared.nbytes, *declared.shape, 1)
    check_unpacked(f"{name[:80]!r}", size, found.id.get_storage_size())
    return found

  def _find(self, name: str) -> "h5py.Dataset | None":
    """Returns an array, None if there is none; links to elsewhere are none.

    Args:
      name: Its name, or the name of a group with one member; "" is the file.
    """
    import h5py

    found = self._file
    for part in name.split("/") if name else ():
      found = _member(found, part)
    if isinstance(found, h5py.Group) and len(found) == 1:
      (only,) = found
      found = _member(found, only)
    return found if isinstance(found, h5py.Dataset) else None


def _member(
  group: "h5py.Group | h5py.Dataset | None", name: str
) -> "h5py.Group | h5py.Dataset | None":
  """Returns a member that is in a group itself, None if there is none."""
  import h5py

  if not isinstance(group, h5py.Group) or name in ("", ".", ".."):
    return None
  link = group.get(name, getlink=True)
  return group[name] if isinstance(link, h5py.HardLink) else None


@contextlib.contextmanager
def open_hdf5(file: str | os.PathLike, what: str) -> Iterator[Hdf5]:
  """Opens an HDF5 file; no other file is opened with it.

  What the block raises because of the file's content becomes a ValueError that
  names the file.

  Args:
    file: A regular file, or a link to one.
    what: Name of the expected content, for messages: "features".

  Yields:
    The file.

  Raises:
    ImportError: If the extra "hdf5" is not installed.
    OSError: If it cannot be opened.
    ValueError: If it is no such file.
  """
  try:
    import h5py
  except ImportError as error:
    raise ImportError(
      "HDF5 files need the extra 'hdf5': run `pip install '.[hdf5]'` in a copy of the "
      "repository."
    ) from error
  path = pathlib.Path(file)
  check_regular(path)
  with path.open("rb"):  # A file that cannot be opened is no damaged file.
    pass
  try:
    with h5py.File(path, "r", locking=False) as opened:
      yield Hdf5(opened)
  except _BROKEN as error:
    words = str(error.args[0] if error.args else "").removesuffix(".")
    words = words or type(error).__name__
    raise ValueError(f"{file} holds no {what}: {words[:300]}.") from error
