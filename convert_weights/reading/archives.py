"""Checks the directories of zip archives before anything is unpacked."""

import pathlib
import zipfile
from collections import Counter
from collections.abc import Sequence

from convert_weights.reading.contents import ALLOWED
from convert_weights.reading.errors import CheckpointError

# Weights hardly shrink: who promises more than this is not to be unpacked.
_LARGEST_RATIO = 32
_ALWAYS_FINE = 2**28  # Bytes.
_PART = 2**20  # Bytes looked at in one go.


def entries(path: pathlib.Path) -> list[zipfile.ZipInfo]:
  """Returns the entries of an archive.

  Raises:
    CheckpointError: If the archive is cut off, holds a name twice, or promises
      far more than it holds.
  """
  try:
    with zipfile.ZipFile(path) as archive:
      found = archive.infolist()
  except zipfile.BadZipFile:
    raise CheckpointError(
      "a zip archive that is cut off or damaged: no directory at its end."
    ) from None
  names = Counter(entry.filename for entry in found)
  if twice := [name for name, count in names.items() if count > 1]:
    raise CheckpointError(f"a zip archive with two entries {twice[0]!r}.")
  size = path.stat().st_size
  for entry in found:
    stored = entry.compress_type == zipfile.ZIP_STORED
    packed = entry.compress_size
    if packed > size or (stored and packed != entry.file_size):
      raise CheckpointError(
        f"a damaged zip archive: entry {entry.filename!r} of "
        f"{entry.file_size} bytes in a file of {size}."
      )
  promised = sum(entry.file_size for entry in found)
  if promised > max(_ALWAYS_FINE, _LARGEST_RATIO * size):
    raise CheckpointError(
      f"a zip archive of {size} bytes that promises {promised}; at most "
      f"{_LARGEST_RATIO} times as much is unpacked."
    )
  return found


def kind(found: Sequence[zipfile.ZipInfo]) -> str:
  """Returns the kind of an archive: "npz", "torch" or "torchscript".

  Raises:
    CheckpointError: If it is none of those.
  """
  names = [entry.filename for entry in found]
  if names and all(name.endswith(".npy") for name in names):
    return "npz"
  files = {name.rsplit("/", 1)[-1] for name in names}
  if "data.pkl" in files:
    return "torchscript" if "constants.pkl" in files else "torch"
  listed = f"{names[:3]}{' and more' * (len(names) > 3)}" if names else "nothing"
  raise CheckpointError(f"a zip archive that holds {listed}; allowed are {ALLOWED}.")


def check_sums(path: pathlib.Path, found: Sequence[zipfile.ZipInfo]) -> None:
  """Raises CheckpointError if contents differ from their sums."""
  try:
    with zipfile.ZipFile(path) as archive:
      for entry in found:
        if not entry.CRC:
          continue  # torch has a setting to write none.
        with archive.open(entry) as file:
          while file.read(_PART):
            pass
  except zipfile.BadZipFile as error:
    raise CheckpointError(f"a damaged zip archive: {error}.") from None
