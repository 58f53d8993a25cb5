"""Names of files and classes, shown to people and used in file names.

Such names come from other people's disks and lists: they may hold control
characters, bytes that are no UTF-8, or letters that no font has.
"""

from temporal_jax.display.errors import error_message
from temporal_jax.display.names import (
  escaped,
  file_name,
  original,
  printable,
  printable_lines,
  shortened,
)

__all__ = [
  "error_message",
  "escaped",
  "file_name",
  "original",
  "printable",
  "printable_lines",
  "shortened",
]
