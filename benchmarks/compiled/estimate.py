"""Estimates how long a compiled program takes, from its text.

An instruction takes as long as the slowest of: its padded bytes from and to the
memories, its products in the matrix units, its operations in the vector units.
The program takes the sum of its instructions, or as long as all of its
bytes take, among them those of copies that run in the meantime, whichever is
more. A loop counts as often as it runs, a conditional as its longest branch.
"""

import collections
import functools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.compiled import library_calls, matrix_unit, vector_unit
from benchmarks.compiled.chips import Chip
from benchmarks.compiled.hlo import Instruction, Program
from benchmarks.compiled.traffic import Traffic, TrafficMeter

# They cost nothing: they name values, or end what another began.
_FREE = frozenset(
  {
    "after-all",
    "async-done",
    "async-update",
    "bitcast",
    "constant",
    "copy-done",
    "domain",
    "get-tuple-element",
    "iota",
    "opt-barrier",
    "parameter",
    "partition-id",
    "recv-done",
    "replica-id",
    "send-done",
    "tuple",
  }
)
# The words for what eats the time, by opcode.
_KINDS = {
  "convolution": "product",
  "dot": "product",
  "copy": "copy",
  "reshape": "copy",  # Others are bitcasts.
  "transpose": "copy",
  "gather": "gather",
  "scatter": "scatter",
  "sort": "sort",
  "custom-call": "kernel",
}
_COLLECTIVES = (
  "all-gather",
  "all-reduce",
  "all-to-all",
  "collective-permute",
  "reduce-scatter",
)
# Speed of memories on a TPU relative to its main memory ("How to scale your
# model", chapter 2). Where elements change their places, that speed is out of
# reach; XLA's estimates make no difference between the memories, nor do ours.
_ON_CHIP = 22
_MOVES = frozenset({"copy", "gather", "scatter", "sort"})
# Custom calls that name bytes.
_FREE_CALLS = frozenset({"ConcatBitcast", "AllocateBuffer", "Sharding"})


class Cost(NamedTuple):
  """Cost of one instruction, all of its repetitions together.

  Attributes:
    name: Its name in the program.
    kind: "product", "elementwise", "copy", "gather", "scatter", "sort",
      "kernel", "collective", or "background copy", which the rest may hide.
    op_name: Path of the jax operation it was made of.
    times: Number of its runs.
    seconds: Estimated time.
    traffic: Bytes.
    matrix_seconds: Time of its products in the matrix units.
    vector_seconds: Time of its operations in the vector units.
  """

  name: str
  kind: str
  op_name: str
  times: int
  seconds: float
  traffic: Traffic
  matrix_seconds: float
  vector_seconds: float


class Estimate(NamedTuple):
  """Cost of a program.

  Attributes:
    seconds: Estimated time.
    traffic: Bytes of all instructions.
    matrix_seconds: Time of its products in the matrix units.
    costs: Its instructions, the one that takes longest first.
    unknown_loops: Loops that count once, as the compiler does not know how
      often they run.
    custom_calls: Runs of kernels that XLA did not write, by target.
  """

  seconds: float
  traffic: Traffic
  matrix_seconds: float
  costs: tuple[Cost, ...]
  unknown_loops: int
  custom_calls: dict[str, int]

  def shares(self) -> dict[str, float]:
    """Returns the share of each kind in the sum of all instructions' times."""
    total = sum(cost.seconds for cost in self.costs) or 1.0
    seconds = collections.Counter()
    for cost in self.costs:
      seconds[cost.kind] += cost.seconds
    return {kind: time / total for kind, time in seconds.most_common() if time}

  def share_of(self, paths: Sequence[str]) -> float:
    """Returns the share of the instructions that were made of some modules.

    A fusion has the name of one of its operations.

    Args:
      paths: Paths of the modules below the network, parts separated by "/".
    """
    if not paths:
      return 0.0
    scopes = re.compile(rf"(?:^|/)(?:{'|'.join(map(re.escape, paths))})(?:/|$)")
    total = sum(cost.seconds for cost in self.costs) or 1.0
    inside = (cost for cost in self.costs if scopes.search(_modules(cost.op_name)))
    return sum(cost.seconds for cost in inside) / total


def _modules(op_name: str) -> str:
  """Returns an op_name without the parts that are methods, "block1._branch"."""
  parts = op_name.split("/")
  return "/".join(part for part in parts if not re.fullmatch(r"\w+\.\w+", part))


def estimate(program: Program, chip: Chip) -> Estimate:
  """Estimates a program.

  Raises:
    ValueError: If a product of it cannot be read.
  """
  walk = _Walk(program, chip)
  costs = walk.costs(program.entry, 1)
  costs.sort(key=lambda cost: -cost.seconds)
  traffic = sum((cost.traffic for cost in costs), Traffic())
  instructions = sum(cost.seconds for cost in costs)
  return Estimate(
    seconds=max(instructions, traffic.main / chip.bandwidth),
    traffic=traffic,
    matrix_seconds=sum(cost.matrix_seconds for cost in costs),
    costs=tuple(costs),
    unknown_loops=walk.unknown_loops,
    custom_calls=dict(walk.custom_calls),
  )


class _Walk:
  """Goes through a program in the order it runs."""

  def __init__(self, program: Program, chip: Chip):
    self.unknown_loops = 0
    self.custom_calls = collections.Counter()
    self._program, self._chip = program, chip
    self._meter = TrafficMeter(program)

  def costs(self, computation: str, times: int) -> list[Cost]:
    """Returns the costs of a computation that runs so many times."""
    found = []
    for line in self._program.computations[computation]:
      found += self._instruction(computation, line, times)
    return found

  def _instruction(self, computation: str, line: Instruction, times: int) -> list[Cost]:
    if line.opcode in _FREE or line.target in _FREE_CALLS:
      return []
    if line.opcode == "while":
      self.unknown_loops += line.trip_count is None
      return self.costs(line.body, times * (line.trip_count or 1))
    if line.opcode == "conditional":
      branches = [self.costs(branch, times) for branch in line.branches]
      return max(branches, key=lambda one: sum(cost.seconds for cost in one))
    if line.opcode == "call":
      return self.costs(line.called, times)
    return [self._cost(computation, line, times)]

  def _cost(self, computation: str, line: Instruction, times: int) -> Cost:
    kind = self._kind(line)
    traffic = self._meter.measure(computation, line)
    if kind == "background copy":
      traffic = _copied(line)
    if line.target:
      self.custom_calls[line.target] += times
    matrix = sum(
      matrix_unit.seconds(found, self._chip)
      for found in self._products(computation, line)
    )
    vector = vector_unit.operations(self._program, line) / self._chip.vector_rate
    on_chip = traffic.on_chip / (1 if kind in _MOVES else _ON_CHIP)
    memory = max(traffic.main, on_chip) / self._chip.bandwidth
    seconds = max(memory, matrix, vector)
    return Cost(
      name=line.name,
      kind=kind,
      op_name=line.op_name,
      times=times,
      seconds=0.0 if kind == "background copy" else times * seconds,
      traffic=Traffic(*(times * size for size in traffic)),
      matrix_seconds=times * matrix,
      vector_seconds=times * vector,
    )

  def _kind(self, line: Instruction) -> str:
    if line.opcode.removesuffix("-start") in _COLLECTIVES:
      return "collective"
    if line.opcode in ("copy-start", "async-start"):
      return "background copy"
    if line.opcode == "fusion" and line.called:
      inside = self._opcodes(line.called)
      for opcode in ("convolution", "dot", "gather", "scatter", "sort"):
        if opcode in inside:
          return _KINDS[opcode]
    if library_calls.is_library(line.target):
      return "product"
    return _KINDS.get(line.opcode, "elementwise")

  def _products(
    self, computation: str, line: Instruction
  ) -> Iterator[matrix_unit.Product]:
    """Yields the products of an instruction, and of what it fuses."""
    if line.opcode in ("convolution", "dot"):
      body = self._program.computations[computation]
      yield matrix_unit.product(line, {one.name: one.arrays for one in body})
    elif line.opcode == "fusion" and line.called:
      for one in self._program.computations[line.called]:
        yield from self._products(line.called, one)
    elif line.opcode == "custom-call":
      body = self._program.computations[computation]
      found = library_calls.product(line, {one.name: one.arrays for one in body})
      if found is not None:
        yield found

  @functools.cache  # noqa: B019 - As long as a walk.
  def _opcodes(self, computation: str) -> frozenset[str]:
    """Returns the opcodes of a computation, and of what it fuses."""
    found = set()
    for line in self._program.computations[computation]:
      found.add(line.opcode)
      if line.opcode == "fusion" and line.called:
        found |= self._opcodes(line.called)
    return frozenset(found)


def _copied(line: Instruction) -> Traffic:
  """Returns the bytes of a copy in the background.

  Its arrays are what is read and what is written, or the other way round, where
  a slice is read of the larger one.
  """
  pair = line.arrays[:2]
  size = min(pair, key=lambda array: array.padded_bytes)
  sides = sum(array.memory == 0 for array in pair)
  return Traffic(
    main=sides * size.padded_bytes,
    plain=sides * size.nbytes,
    on_chip=(len(pair) - sides) * size.padded_bytes,
  )
