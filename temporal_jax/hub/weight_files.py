"""Files of a repository, or of a folder of weights, that a network is in."""

import json
import pathlib
import re
from collections.abc import Collection, Sequence
from typing import Any

# Files of a network of this library: its description, its variables as
# safetensors with their sha256, and the folder of Orbax of older versions.
DESCRIPTION = "model.json"
VARIABLES = "model.safetensors"
DIGESTS = "sha256sums.txt"
OLD_VARIABLES = "variables/"

# Files of weights as other libraries name them; the first that exists is read.
INDEX_SUFFIX = ".index.json"
FOREIGN_WEIGHTS = (
  "model.safetensors",
  "model.safetensors.index.json",
  "open_clip_model.safetensors",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
  "open_clip_pytorch_model.bin",
)
# Their settings: architecture, activation, pixels.
FOREIGN_SETTINGS = (
  "config.json",
  "open_clip_config.json",
  "preprocessor_config.json",
  "video_preprocessor_config.json",
)
# Endings of files of weights of any name; safetensors hold no code.
_SAFE = (".safetensors", ".npz")
_PICKLED = (".pt", ".pth", ".pyth", ".bin", ".ckpt", ".tar")
_MAX_INDEX = 2**26  # Bytes of an index; one of a thousand files has a few million.
# Files of a training program, not of weights.
_NO_WEIGHTS = re.compile(r".*(optimizer|scheduler|training_args|rng_state).*")


def is_own(names: Collection[str]) -> bool:
  """Whether files are those of a network of this library."""
  return DESCRIPTION in names and bool(own_files(names)[1:])


def own_files(names: Collection[str]) -> list[str]:
  """Returns the files of a network of this library, its description first."""
  if VARIABLES in names:
    return [name for name in (DESCRIPTION, VARIABLES, DIGESTS) if name in names]
  old = sorted(name for name in names if name.startswith(OLD_VARIABLES))
  return [DESCRIPTION, *old]


def foreign_weights(names: Collection[str]) -> Sequence[str]:
  """Returns the file of another library's weights, or several that it may be.

  Args:
    names: Paths of all files.

  Returns:
    The first of `FOREIGN_WEIGHTS`, or else the files whose ending is one of
    weights: safetensors and npz, or only without them pickles.
  """
  known = next((name for name in FOREIGN_WEIGHTS if name in names), None)
  if known:
    return [known]
  for endings in (_SAFE, _PICKLED):
    found = sorted(
      name
      for name in names
      if name.endswith(endings) and not _NO_WEIGHTS.fullmatch(name)
    )
    if found:
      return found
  return []


def settings_of(file: str, names: Collection[str]) -> list[str]:
  """Returns the files of settings that are in the folder of a file."""
  folder = pathlib.PurePosixPath(file).parent
  places = [str(folder / name) for name in FOREIGN_SETTINGS]
  return [place for place in places if place in names]


def read_index(path: pathlib.Path) -> dict[str, str]:
  """Reads an index of several files of weights.

  Args:
    path: The index; its files are in the same folder.

  Returns:
    Tensor -> name of its file; at least one.

  Raises:
    ValueError: If it is damaged, empty, or lists files outside of its folder.
  """
  content: Any = None
  if path.stat().st_size <= _MAX_INDEX:
    try:
      content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
      content = None
  places = content.get("weight_map") if isinstance(content, dict) else None
  is_map = isinstance(places, dict) and places
  if not is_map or not all(isinstance(file, str) for file in places.values()):
    raise ValueError(
      f'{path.name} must hold an object "weight_map" of names of files, one for each '
      "tensor."
    )
  for file in sorted(set(places.values())):
    # Both kinds of separators and drives, on every system.
    plain = pathlib.PureWindowsPath(file).name == file
    if not plain or file.strip(". ") == "":
      raise ValueError(
        f"{path.name} lists {file!r:.80}; allowed are names of files in its folder."
      )
  return places
