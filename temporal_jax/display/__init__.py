"""Names of files and classes, shown to people and used in file names.

Such names come from other people's disks and lists: they may hold control
characters, bytes that are no UTF-8, or letters that no font has.
"""

from temporal_jax.display.errors import error_message as error_message
from temporal_jax.display.names import (
  escaped as escaped,
  file_name as file_name,
  original as original,
  printable as printable,
  printable_lines as printable_lines,
  shortened as shortened,
)
