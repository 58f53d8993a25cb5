"""The temporary folder of uploads, also removed after a killed server."""

import contextlib
import os
import pathlib
import shutil
import stat
import tempfile

from absl import logging

from temporal_jax.storage.lock import LOCK, FolderInUseError, FolderLock

PREFIX = "temporal_jax_serve_"


class UploadFolder:
  """A temporary folder that lives as long as this process, or less.

  A lock in it, which the system releases however the process ends, shows the
  next server whether its owner lives.

  Attributes:
    path: Folder for uploads; nothing else is in it.
  """

  def __init__(self):
    """Makes the folder and removes the folders of servers that were killed.

    Raises:
      OSError: If it cannot be made.
    """
    remove_abandoned()
    self._folder = tempfile.TemporaryDirectory(
      prefix=PREFIX, ignore_cleanup_errors=True
    )
    self._lock = FolderLock(self._folder.name, wait=True, say=logging.warning)
    self._lock.__enter__()
    self.path = pathlib.Path(self._folder.name) / "uploads"
    self.path.mkdir(mode=0o700)

  def remove(self) -> None:
    """Removes the folder with all files; further calls do nothing."""
    self._folder.cleanup()
    self._lock.__exit__()


def remove_abandoned() -> None:
  """Removes folders of this user's servers whose processes have ended.

  Folders without a lock are left: their owner may live.
  """
  for folder in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
    # Its owner lives, or has removed it meanwhile.
    with contextlib.suppress(FolderInUseError, OSError):
      status = folder.lstat()
      is_own = status.st_uid == os.geteuid()
      if is_own and stat.S_ISDIR(status.st_mode) and _has_lock(folder):
        with FolderLock(folder, say=logging.warning):
          shutil.rmtree(folder)


def _has_lock(folder: pathlib.Path) -> bool:
  return stat.S_ISREG((folder / LOCK).lstat().st_mode)
