"""Names of splits in folders and lists: train, validation and test."""

from collections.abc import Mapping

# Usual names of the splits, in small letters.
NAMES: Mapping[str, tuple[str, ...]] = {
  "train": ("train", "training"),
  "validation": ("val", "valid", "validate", "validation", "dev", "eval"),
  "test": ("test", "testing"),
}
_SPLIT_OF = {name: split for split, names in NAMES.items() for name in names}


def split_of(name: str) -> str | None:
  """Returns "train", "validation" or "test", None for no known name."""
  return _SPLIT_OF.get(name.lower())


def known_names() -> str:
  """Returns the names that `split_of` knows, in words."""
  return "; ".join(", ".join(names) for names in NAMES.values())


def tested_split(found: Mapping[str, str], wanted: str, where: str) -> str:
  """Returns the split that a run tests: "validation" before "test".

  As a run's best checkpoint is the one with the best test, data that are kept
  for a last test should have no part in it.

  Args:
    found: Names of the splits that are there, by `split_of`.
    wanted: A name to take another one, or "".
    where: Folder or list with the splits, for messages.

  Raises:
    ValueError: If `wanted` is no name of a split to test, or not there.
  """
  if not wanted:
    return "validation" if "validation" in found else "test"
  split = split_of(wanted)
  if split in (None, "train"):
    known = ", ".join(NAMES["validation"] + NAMES["test"])
    raise ValueError(f"data.test_split must be one of {known}; got {wanted!r}.")
  if split not in found:
    raise ValueError(
      f"{where} has no split {wanted!r} (data.test_split), only {list(found.values())}."
    )
  return split
