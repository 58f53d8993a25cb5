"""Lock of a folder, for one process at a time."""

import errno
import fcntl
import os
import pathlib
import socket
import time
from collections.abc import Callable

from temporal_jax.storage.new_folders import make_folders, remove_folders

LOCK = "run.lock"
# Errors of file systems without locks.
_UNKNOWN = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL)
_SECONDS = 1.0  # From one try to the next.


class FolderInUseError(RuntimeError):
  """Another process works in the folder."""


class FolderLock:
  """Keeps other processes out of a folder until it is released.

  The system holds it for the process, and lets go of it however the process
  ends: nothing has to be cleaned up after a kill. It only keeps out those who
  ask for it. Use as a context manager.
  """

  def __init__(
    self,
    folder: str | os.PathLike,
    *,
    wait: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = print,
  ):
    """Prepares; nothing is locked yet.

    Args:
      folder: The folder, which may be new; it is removed again if nothing was
        written to it, and so are new folders above it.
      wait: Whether to wait until the other process ends, instead of leaving.
      stopped: Returns whether to wait no longer.
      say: Called with remarks for the user, one sentence each.
    """
    self._file = pathlib.Path(folder) / LOCK
    self._wait, self._stopped, self._say = wait, stopped, say
    self._descriptor: int | None = None
    self._made: set[pathlib.Path] = set()

  def __enter__(self) -> "FolderLock":
    """Locks the folder.

    Raises:
      FolderInUseError: If another process holds it, naming host and process.
      OSError: If its file cannot be made.
    """
    try:
      self._acquire()
    except BaseException:
      self._remove_made()
      raise
    return self

  def __exit__(self, *exception: object) -> None:
    if self._descriptor is not None:
      # Still locked: whoever opened the file before sees that it is gone.
      self._file.unlink(missing_ok=True)
      os.close(self._descriptor)
      self._descriptor = None
    self._remove_made()

  def _acquire(self) -> None:
    """Locks the folder, after another process if it may wait."""
    said = False
    while not self._try():
      holder = self._holder()
      if not self._wait or self._stopped():
        raise FolderInUseError(
          f"{self._file.parent} is in use by {holder}; wait until it ends, or "
          "take another folder."
        )
      if not said:
        self._say(f"{self._file.parent} is in use by {holder}: waiting.")
        said = True
      time.sleep(_SECONDS)

  def _remove_made(self) -> None:
    """Removes new folders to which nobody wrote."""
    remove_folders(sorted(self._made, reverse=True))
    self._made.clear()

  def _try(self) -> bool:
    """Returns whether the folder is this process's now."""
    descriptor = self._open()
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      os.close(descriptor)
      return False
    except OSError as error:
      os.close(descriptor)
      self._file.unlink(missing_ok=True)
      if error.errno not in _UNKNOWN:
        raise
      self._say(
        f"the file system of {self._file.parent} has no locks: a second start "
        "in it is not noticed."
      )
      return True
    if not self._is_current(descriptor):  # Its holder removed it meanwhile.
      os.close(descriptor)
      return self._try()
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{socket.gethostname()} {os.getpid()}\n".encode())
    self._descriptor = descriptor
    return True

  def _open(self) -> int:
    """Opens the file of the lock; makes it and its folder if need be."""
    while True:
      self._made.update(make_folders(self._file.parent))
      try:
        return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
      except FileNotFoundError:  # Its holder removed the folder meanwhile.
        time.sleep(0.01)

  def _is_current(self, descriptor: int) -> bool:
    """Whether an open file is the one that others would open."""
    try:
      return os.path.samestat(os.fstat(descriptor), self._file.stat())
    except FileNotFoundError:
      return False

  def _holder(self) -> str:
    """Returns a description of the process that holds the folder."""
    try:
      host, number = self._file.read_text().split()
    except (OSError, ValueError):
      return "another process"
    return f"process {number} on host {host}"
