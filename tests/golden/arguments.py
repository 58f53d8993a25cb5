"""An official constructor's arguments, which know what was read of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class UnsupportedError(ValueError):
  """A case asks for something that ours is not built with."""


class _Read:
  """A part of the arguments; all parts share what was read and what ignored.

  Paths are as in Python: "VIDEO.HEAD.NUM_CLASSES", "stride[1]".
  """

  def __init__(
    self, values: Any, path: str = "", marks: tuple[set[str], set[str]] | None = None
  ):
    self._values = values
    self._path = path
    self._read, self._ignored = self._marks = marks or (set(), set())

  def _step(self, key: str | int) -> str:
    if isinstance(key, int):
      return f"{self._path}[{key}]"
    return f"{self._path}.{key}" if self._path else key

  def _take(self, key: str | int) -> Any:
    value, path = self._values[key], self._step(key)
    if isinstance(value, dict) and value:
      return Arguments(value, path, self._marks)
    if isinstance(value, list) and value:
      return _Items(value, path, self._marks)
    self._read.add(path)
    return value

  def ignore(self, *keys: str | int) -> None:
    """Says that arguments change nothing in what is compared.

    Other arguments, or the shapes of inputs and weights, say the same; or the
    official code does not use them here.
    """
    names = self._values if isinstance(self._values, dict) else range(len(self))
    for key in keys:
      if key in names:
        self._ignored |= set(_leaves(self._values[key], self._step(key)))

  def __len__(self) -> int:
    return len(self._values)

  def __repr__(self) -> str:
    return repr(self._values)


class _Items(_Read, Sequence):
  """A list of arguments."""

  def __getitem__(self, key: int | slice) -> Any:
    if isinstance(key, slice):
      return [self._take(i) for i in range(len(self))[key]]
    return self._take(range(len(self))[key])

  def __eq__(self, other: Any) -> bool:
    return list(self) == list(other)

  __hash__ = None


class Arguments(_Read, Mapping):
  """Arguments by name; those that a reference does not read are in `unread`."""

  def __getitem__(self, key: str) -> Any:
    return self._take(key)

  def __iter__(self) -> Iterator[str]:
    return iter(self._values)

  def only(self, key: str, *allowed: Any) -> Any:
    """Reads an argument that ours has no argument for.

    Args:
      key: Its name; a case may leave it out.
      *allowed: The values with which ours does the same.

    Raises:
      UnsupportedError: If it has another.
    """
    value = self.get(key, allowed[0])
    if value not in allowed:
      raise UnsupportedError(f"{self._step(key)}={value!r}")
    return value

  def square(self, key: str, default: int = 1, *, time: int = 1) -> int:
    """Reads a size over (T, H, W) that is `time` over T and square.

    Returns:
      The side of the square.

    Raises:
      UnsupportedError: If it is not so.
    """
    first, rows, columns = self.get(key, (time, default, default))
    if (first, rows) != (time, columns):
      raise UnsupportedError(f"{self._step(key)}={[first, rows, columns]}")
    return rows

  def unread(self) -> list[str]:
    """Returns the paths of what was neither read nor ignored."""
    done = self._read | self._ignored
    return [path for path in _leaves(self._values, self._path) if path not in done]

  def ignored(self) -> set[str]:
    """Returns the paths of what was ignored."""
    return set(self._ignored)


def _leaves(values: Any, path: str) -> Iterator[str]:
  """Yields the paths of the values below `path`."""
  if isinstance(values, dict) and values:
    for key, value in values.items():
      yield from _leaves(value, f"{path}.{key}" if path else key)
  elif isinstance(values, list) and values:
    for place, value in enumerate(values):
      yield from _leaves(value, f"{path}[{place}]")
  else:
    yield path
