"""The folder of a user's caches, as each platform has it."""

import os
import pathlib
import sys
from collections.abc import Mapping


def user_caches(environment: Mapping[str, str]) -> pathlib.Path:
  """Returns the folder of the user's caches, as the platform has it."""
  if os.path.isabs(environment.get("XDG_CACHE_HOME", "")):
    return pathlib.Path(environment["XDG_CACHE_HOME"])
  if sys.platform == "darwin":
    return pathlib.Path.home() / "Library" / "Caches"
  if sys.platform == "win32" and environment.get("LOCALAPPDATA"):
    return pathlib.Path(environment["LOCALAPPDATA"])
  return pathlib.Path.home() / ".cache"
