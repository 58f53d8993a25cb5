"""Sets a process up before jax computes in it."""

import contextlib
import gc
import hashlib
import os
import pathlib
import platform
import re
import sys
from collections.abc import Mapping

from temporal_jax.storage.user_caches import user_caches

# Moves the folder of compiled programs; "" or "0" keeps none.
CACHE = "TEMPORAL_JAX_CACHE"
_JAX_CACHE = "JAX_COMPILATION_CACHE_DIR"
_KEPT_BYTES = 2 << 30  # A program of a network takes 1 to 20 MB.
_TUNABLES = "GLIBC_TUNABLES"
_HUGE_PAGES = "glibc.malloc.hugetlb=1"
# Marks a restarted process: it is never restarted twice.
_RESTARTED = "TEMPORAL_JAX_RESTARTED"
_THP = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")


def keep_compiled() -> None:
  """Has JAX keep compiled programs for later processes, in a user's folder.

  The folder is $TEMPORAL_JAX_CACHE, else temporal_jax in the user's folder of
  caches. Nothing is kept where that variable is empty or 0, or no such folder
  can be written; JAX_COMPILATION_CACHE_DIR, if set, is left to JAX. Several
  processes may share the folder. Programs of processors with other
  instructions have a folder of their own in it, since they may not run here.

  Must be called before anything is compiled.
  """
  if _JAX_CACHE in os.environ:
    return
  try:
    folder = _cache_folder(os.environ)
    if folder is None:
      return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
      return
  except (OSError, RuntimeError):  # There is no home, or it is read-only.
    return
  _shrink(folder, _KEPT_BYTES)
  settings = {
    "jax_compilation_cache_dir": str(folder),
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
  }
  if "jax" in sys.modules:
    for name, value in settings.items():
      sys.modules["jax"].config.update(name, value)
  else:  # Importing it is left to its users.
    for name, value in settings.items():
      os.environ.setdefault(name.upper(), str(value))


def collect_garbage_less() -> None:
  """Has Python look for cycles after 50,000 new objects, not after 700.

  Imports and traces make hundreds of thousands of objects that stay, and each
  search looks at most of them again: 0.3 s until a network's first answer.
  """
  gc.set_threshold(50_000, 20, 100)


def _cache_folder(environment: Mapping[str, str]) -> pathlib.Path | None:
  """Returns the folder of programs for this processor; None for none."""
  chosen = environment.get(CACHE)
  if chosen in ("", "0"):
    return None
  if chosen:
    folder = pathlib.Path(chosen).expanduser().absolute()
  else:
    folder = user_caches(environment) / "temporal_jax"
  return folder / _processor()


def _processor() -> str:
  """Returns a name for all processors with the same instructions."""
  about = ""
  with contextlib.suppress(OSError):
    about = pathlib.Path("/proc/cpuinfo").read_text()
  found = re.search(r"^(?:flags|Features)\s*:(.*)$", about, re.MULTILINE)
  known = found[1] if found else platform.processor()
  digest = hashlib.sha256(known.encode()).hexdigest()
  return f"{platform.machine()}-{digest[:12]}"


def _shrink(folder: pathlib.Path, most: int) -> None:
  """Deletes the oldest files until the others have `most` bytes at most.

  Another process may delete the same ones.
  """
  with contextlib.suppress(OSError):
    files = [
      (stat.st_mtime, stat.st_size, entry.path)
      for entry in os.scandir(folder)
      if entry.is_file(follow_symlinks=False) and (stat := entry.stat())
    ]
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
      if total <= most:
        return
      with contextlib.suppress(OSError):
        os.unlink(path)
      total -= size


def use_huge_pages() -> None:
  """Restarts this process with huge pages, where they make it faster.

  XLA's large arrays are then mapped in pages of 2 MB, which take less time to
  get. Only glibc's start reads the setting, so the process becomes a new one
  with the same number, arguments, files and terminal. It does so once, at most,
  and not where the user has set GLIBC_TUNABLES.

  Must be called before the process has read or written anything.
  """
  if not sys.executable or not _takes_huge_pages(os.environ):
    return
  environment = {**os.environ, _TUNABLES: _HUGE_PAGES, _RESTARTED: "1"}
  words = [sys.executable, *sys.orig_argv[1:]]
  with contextlib.suppress(OSError):  # It then goes on as it is.
    os.execve(sys.executable, words, environment)


def _takes_huge_pages(environment: Mapping[str, str]) -> bool:
  """Whether a restarted process would have huge pages that this one lacks."""
  if _TUNABLES in environment or _RESTARTED in environment:
    return False
  try:
    library = os.confstr("CS_GNU_LIBC_VERSION") or ""
    enabled = _THP.read_text()
  except (AttributeError, OSError, ValueError):  # Not Linux, or not glibc.
    return False
  version = re.fullmatch(r"glibc (\d+)\.(\d+).*", library)
  if not version or (int(version[1]), int(version[2])) < (2, 35):
    return False
  return "[never]" not in enabled and "[always]" not in enabled
