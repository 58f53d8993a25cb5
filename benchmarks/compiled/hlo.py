"""Reads the text of a compiled program: HLO, scheduled, with its layouts.

A text is a list of computations, each a list of instructions in the order in
which they run:

  %add.1 = bf16[8,128]{1,0:T(8,128)(2,1)} add(%a, %b), metadata={...}

The braces after a shape are its layout: axes from the most minor one on, the
tiles that the array is cut into, and S(n), the memory that holds it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

_BITS = MappingProxyType(
  {
    "pred": 8,
    "token": 0,
    "bf16": 16,
    "c64": 64,
    "c128": 128,
    "s2": 2,
    "s4": 4,
    "u2": 2,
    "u4": 4,
  }
)
_ARRAY = re.compile(r"([a-z]\w*)\[([\d,<=]*)\](?:\{([^}]*)\})?")
_COMPUTATION = re.compile(r"(ENTRY )?%?([\w.\-]+) \(")
_INSTRUCTION = re.compile(r"\s+(ROOT )?%?([\w.\-]+) = ")
_NAME = re.compile(r"%([\w.\-]+)")
_OPCODE = re.compile(r"\s*([\w\-]+)\(")


class Array(NamedTuple):
  """Type and layout of an array.

  Attributes:
    dtype: Name in HLO, e.g. "bf16".
    dims: Size of each axis.
    minor_to_major: Axes, the one whose elements are neighbours first.
    tiles: Tiles of the minor axes, the outer tile first.
    memory: 0 is the main memory of the chip, others are on the chip itself.
  """

  dtype: str
  dims: tuple[int, ...]
  minor_to_major: tuple[int, ...] = ()
  tiles: tuple[tuple[int, ...], ...] = ()
  memory: int = 0

  @property
  def itemsize(self) -> float:
    """Bytes of an element; less than 1 for int4."""
    if self.dtype in _BITS:
      return _BITS[self.dtype] / 8
    bits = re.search(r"\d+", self.dtype)  # f32, s64, f8e4m3fn.
    if bits is None:
      raise ValueError(f"unknown element type {self.dtype!r} in HLO.")
    return int(bits[0]) / 8

  @property
  def size(self) -> int:
    """Number of elements."""
    return math.prod(self.dims)

  @property
  def padded_size(self) -> int:
    """Number of elements with those that fill the last tiles."""
    if self.minor_to_major:
      dims = [self.dims[axis] for axis in reversed(self.minor_to_major)]
    else:
      dims = list(self.dims)
    for tile in self.tiles:
      # A vector in tiles of two axes is one row.
      dims = [1] * (len(tile) - len(dims)) + dims
      kept = dims[: len(dims) - len(tile)]
      cut = dims[len(dims) - len(tile) :]
      dims = [*kept, *(-(-n // t) for n, t in zip(cut, tile, strict=True)), *tile]
    return math.prod(dims)

  @property
  def nbytes(self) -> int:
    """Bytes without padding."""
    return math.ceil(self.size * self.itemsize)

  @property
  def padded_bytes(self) -> int:
    """Bytes that the array takes, with its padding."""
    return math.ceil(self.padded_size * self.itemsize)


class Instruction(NamedTuple):
  """One instruction.

  Attributes:
    name: Name in its computation.
    opcode: Name of its operation, e.g. "fusion".
    arrays: Arrays of its result, several for a tuple.
    operands: Names of the instructions whose results it reads.
    text: Text between its parentheses.
    attributes: Text after them.
    is_root: Whether its result is that of the computation.
  """

  name: str
  opcode: str
  arrays: tuple[Array, ...]
  operands: tuple[str, ...]
  text: str
  attributes: str
  is_root: bool

  @property
  def op_name(self) -> str:
    """Path of the jax operation it was made of, "" if it is not known."""
    found = re.search(r'op_name="([^"]*)"', self.attributes)
    return found[1] if found else ""

  @property
  def target(self) -> str:
    """Target of a custom call, "" for all else."""
    found = re.search(r'custom_call_target="([^"]*)"', self.attributes)
    return found[1] if found else ""

  @property
  def trip_count(self) -> int | None:
    """Number of runs of a loop, None if the compiler does not know."""
    found = re.search(r'"known_trip_count":\{"n":"(\d+)"', self.attributes)
    return int(found[1]) if found else None

  @property
  def called(self) -> str | None:
    """Computation of a fusion or a call."""
    return self._name("calls") or self._name("to_apply")

  @property
  def body(self) -> str | None:
    """Computation that a loop repeats."""
    return self._name("body")

  @property
  def branches(self) -> list[str]:
    """Computations of a conditional, one of which runs."""
    listed = re.search(r"branch_computations=\{([^}]*)\}", self.attributes)
    if listed:
      return _NAME.findall(listed[1])
    two = (self._name("true_computation"), self._name("false_computation"))
    return [name for name in two if name]

  def numbers(self, name: str) -> list[int]:
    """Returns the numbers of an attribute NAME={1,2}; none if it is absent."""
    found = re.search(rf"\b{name}=\{{([\d,]*)\}}", self.attributes)
    return [int(number) for number in found[1].split(",") if number] if found else []

  def number(self, name: str, default: int) -> int:
    """Returns the number of an attribute NAME=1."""
    found = re.search(rf"\b{name}=(\d+)", self.attributes)
    return int(found[1]) if found else default

  def _name(self, attribute: str) -> str | None:
    found = re.search(rf"\b{attribute}=%?([\w.\-]+)", self.attributes)
    return found[1] if found else None


class Program(NamedTuple):
  """A compiled program.

  Attributes:
    computations: Instructions of each computation, in the order they run.
    entry: Name of the computation that runs.
  """

  computations: Mapping[str, Sequence[Instruction]]
  entry: str


def parse(text: str) -> Program:
  """Reads a program.

  Raises:
    ValueError: If the text has no entry computation, or a line of one cannot be
      read.
  """
  computations: dict[str, list[Instruction]] = {}
  entry, current = None, None
  for line in text.splitlines():
    if line.startswith("}"):
      current = None
    elif line.endswith("{") and "->" in line and not line.startswith(" "):
      begin = _COMPUTATION.match(line)
      if begin is None:
        raise ValueError(f"not the first line of an HLO computation: {line[:80]!r}")
      current = computations.setdefault(begin[2], [])
      entry = begin[2] if begin[1] else entry
    elif current is not None and line.strip():
      current.append(_instruction(line))
  if entry is None:
    raise ValueError("the text has no ENTRY: it is no HLO program.")
  return Program(computations, entry)


def arrays(text: str) -> tuple[Array, ...]:
  """Reads a shape, or the shapes of a tuple."""
  return tuple(_array(found) for found in _ARRAY.finditer(text))


def _array(found: re.Match) -> Array:
  dtype, dims, layout = found.groups()
  sizes = tuple(int(n.removeprefix("<=")) for n in dims.split(",") if n)
  order, _, rest = (layout or "").partition(":")
  # T(8,128)(2,1)S(1): tiles, and tiles in these; then other facts.
  tiling = re.match(r"T((?:\([\d,*]+\))+)", rest)
  tiles = re.findall(r"\(([\d,*]+)\)", tiling[1]) if tiling else []
  memory = re.search(r"S\((\d+)\)", rest)
  return Array(
    dtype,
    sizes,
    tuple(int(axis) for axis in order.split(",") if axis),
    tuple(tuple(int(n) for n in tile.split(",") if n != "*") for tile in tiles),
    int(memory[1]) if memory else 0,
  )


def _instruction(line: str) -> Instruction:
  begin = _INSTRUCTION.match(line)
  if begin is None:
    raise ValueError(f"not an HLO instruction: {line[:80]!r}")
  rest = line[begin.end() :]
  end = _closing(rest, 0) + 1 if rest.startswith("(") else rest.index(" ")
  shape, rest = rest[:end], rest[end:]
  opcode = _OPCODE.match(rest)
  if opcode is None:
    raise ValueError(f"not an HLO instruction: {line[:80]!r}")
  start = opcode.end()
  end = _closing(rest, start - 1)
  text = rest[start:end]
  return Instruction(
    name=begin[2],
    opcode=opcode[1],
    arrays=arrays(shape),
    operands=tuple(_NAME.findall(text)),
    text=text,
    attributes=rest[end + 1 :],
    is_root=bool(begin[1]),
  )


def _closing(text: str, start: int) -> int:
  """Returns the place of the parenthesis that closes the one at `start`."""
  depth = 0
  for place in range(start, len(text)):
    depth += {"(": 1, ")": -1}.get(text[place], 0)
    if depth == 0:
      return place
  raise ValueError(f"a parenthesis is not closed: {text[:80]!r}")
