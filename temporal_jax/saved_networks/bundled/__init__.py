"""Networks that come with the package, for a first try."""

import pathlib

# The demo's: eight classes of camera motion.
NAMES = ("camera_motion",)


def find(name: str) -> pathlib.Path:
  """Returns the directory of a network of `NAMES`."""
  return pathlib.Path(__file__).parent / name
