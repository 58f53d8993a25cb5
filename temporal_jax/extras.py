"""Checks that the optional extras of the package are installed."""

import importlib.util

# Modules of the extra "train".
TRAIN = (
  "array_record",
  "dm_pix",
  "grain",
  "importlib_resources",
  "ml_collections",
  "tensorboardX",
  "tensorflow_datasets",
)


def check_train(purpose: str) -> None:
  """Raises ImportError if modules of the extra "train" are not installed.

  Args:
    purpose: Name of the task that needs the modules, e.g. "training".
  """
  missing = [name for name in TRAIN if not _is_installed(name)]
  if missing:
    raise ImportError(
      f"{purpose} needs {', '.join(missing)}: run `pip install '.[train]'` in a copy "
      "of the repository."
    )


def _is_installed(name: str) -> bool:
  try:
    return importlib.util.find_spec(name) is not None
  except ImportError:  # Some finders raise it.
    return False
