"""Files and folders that others only ever see whole."""

from temporal_jax.storage.whole import (
  sync,
  sync_all,
  whole_file,
  whole_folder,
  write_lines,
  write_text,
)

__all__ = [
  "sync",
  "sync_all",
  "whole_file",
  "whole_folder",
  "write_lines",
  "write_text",
]
