"""Files and folders that others only see whole: written, listed, locked."""

from temporal_jax.storage.atomic import (
  sync,
  sync_all,
  whole_file,
  whole_folder,
  write_lines,
  write_text,
)
from temporal_jax.storage.digests import (
  DIGESTS,
  check_digests,
  damaged_files,
  read_digests,
  write_digests,
)
from temporal_jax.storage.json_lines import append_json_line, read_json_lines
from temporal_jax.storage.lock import LOCK, FolderInUseError, FolderLock

__all__ = [
  "DIGESTS",
  "LOCK",
  "FolderInUseError",
  "FolderLock",
  "append_json_line",
  "check_digests",
  "damaged_files",
  "read_digests",
  "read_json_lines",
  "sync",
  "sync_all",
  "whole_file",
  "whole_folder",
  "write_digests",
  "write_lines",
  "write_text",
]
