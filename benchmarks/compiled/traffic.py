"""Bytes that an instruction reads and writes.

A fusion reads only the slices that it takes of an operand, and where it writes
into a part of an array in place, only that part is written.
"""

from collections.abc import Iterable
from typing import NamedTuple

from benchmarks.compiled.hlo import Array, Instruction, Program

_SLICES = ("dynamic-slice", "slice", "gather")
# They name the same bytes.
_ALIASES = ("bitcast", "get-tuple-element")


class Traffic(NamedTuple):
  """Bytes read and written.

  Attributes:
    main: Padded bytes from and to the chip's main memory.
    plain: The same without padding.
    on_chip: Padded bytes from and to memories on the chip itself.
  """

  main: int = 0
  plain: int = 0
  on_chip: int = 0

  def __add__(self, other: "Traffic") -> "Traffic":
    return Traffic(*(a + b for a, b in zip(self, other, strict=True)))


class TrafficMeter:
  """Counts the bytes of a program's instructions."""

  def __init__(self, program: Program):
    self._program = program
    self._arrays = {
      computation: {line.name: line.arrays for line in body}
      for computation, body in program.computations.items()
    }

  def measure(self, computation: str, line: Instruction) -> Traffic:
    """Returns the bytes of one instruction of a computation."""
    operands = [self._arrays[computation].get(name, ()) for name in line.operands]
    if line.opcode == "fusion" and line.called:
      return self._fusion(line, operands)
    if line.opcode == "dynamic-update-slice":
      return _sum(operands[1], times=2)  # Read, and written in place.
    if line.opcode in _SLICES:
      return _sum(line.arrays, times=2)
    return sum((_sum(found) for found in operands), _sum(line.arrays))

  def _fusion(self, line: Instruction, operands: list[tuple[Array, ...]]) -> Traffic:
    body = self._program.computations[line.called]
    parameters = {int(one.text): one for one in body if one.opcode == "parameter"}
    total = self._written(line)
    for place, found in enumerate(operands):
      memory = found[0].memory if found else 0
      parameter = parameters.get(place)
      parts = parameter and self._parts_read(line.called, parameter.name)
      if parts is None:
        total += _sum(found)
      else:
        read = _sum(parts, memory=memory)
        # Slices that overlap are read once.
        total += min(read, _sum(found), key=lambda traffic: traffic[:3])
    return total

  def _parts_read(self, computation: str, name: str) -> list[Array] | None:
    """Returns the slices taken of an array, None if it is read whole."""
    parts: list[Array] = []
    for line in self._program.computations[computation]:
      for place, operand in enumerate(line.operands):
        if operand != name:
          continue
        if line.opcode in _SLICES and place == 0:
          parts += line.arrays
        elif line.opcode == "dynamic-update-slice" and place == 0:
          pass  # The part that is not replaced is not moved.
        elif line.opcode in _ALIASES:
          found = self._parts_read(computation, line.name)
          if found is None:
            return None
          parts += found
        elif line.opcode == "fusion" and line.called:
          found = self._parts_read(line.called, self._parameter(line.called, place))
          if found is None:
            return None
          parts += found
        else:
          return None
    return parts

  def _parameter(self, computation: str, place: int) -> str:
    return next(
      line.name
      for line in self._program.computations[computation]
      if line.opcode == "parameter" and int(line.text) == place
    )

  def _written(self, line: Instruction) -> Traffic:
    """Returns the bytes that a fusion writes."""
    body = {one.name: one for one in self._program.computations[line.called]}
    root = next(one for one in body.values() if one.is_root)
    results = root.operands if root.opcode == "tuple" else (root.name,)
    if len(results) != len(line.arrays):
      return _sum(line.arrays)
    total = Traffic()
    for name, array in zip(results, line.arrays, strict=True):
      source = body[name]
      while source.opcode in _ALIASES and source.operands[0] in body:
        source = body[source.operands[0]]
      if source.opcode == "dynamic-update-slice":
        total += _sum(body[source.operands[1]].arrays, memory=array.memory)
      else:
        total += _sum([array])
    return total


def _sum(
  arrays: Iterable[Array], *, times: int = 1, memory: int | None = None
) -> Traffic:
  """Returns the bytes of arrays, in their own memory or in another."""
  main = plain = on_chip = 0
  for array in arrays:
    if array.memory if memory is None else memory:
      on_chip += array.padded_bytes
    else:
      main += array.padded_bytes
      plain += array.nbytes
  return Traffic(times * main, times * plain, times * on_chip)
