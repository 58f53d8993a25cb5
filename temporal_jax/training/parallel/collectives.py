"""The collectives in a compiled program, read from its text."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

# Bytes that a device sends, and as many it receives, of n devices in a ring,
# over the bytes of the whole arrays.
_SENT = {
  "all-reduce": lambda n: 2 * (n - 1) / n,
  "all-gather": lambda n: (n - 1) / n,
  "reduce-scatter": lambda n: (n - 1) / n,
  "all-to-all": lambda n: (n - 1) / n,
  "collective-permute": lambda n: 1,
}
KINDS = tuple(_SENT)
# Computations of a TPU in which a piece of a collective is next to other work.
_BACKGROUND = "async_collective_fusion"

_ARRAY = re.compile(r"\b(pred|bf\d+|[usfc]\d+)\w*\[([\d,]*)\]")
_COMPUTATION = re.compile(r"(ENTRY )?%?([\w.-]+) \(.*\{$")
_OPERATION = re.compile(
  rf"\s+(?:ROOT )?%?[\w.-]+ = (.*?) ({'|'.join(KINDS)})(-start)?\((.*)"
)
_CALLED = re.compile(r"\b(\w+)=(%[\w.-]+|\{%[\w.-]+(?:, ?%[\w.-]+)*\})")
_CHANNEL = re.compile(r"\bchannel_id=(\d+)")
# mesh['a'=4,'b'=2], device_ids=([2,4]T(1,0)) {'b','a':(1)2}: an axis may be
# used in part: "(1)2" is the size before the part and the part's.
_MESH = re.compile(r"=mesh\[(.*?)\](?:, device_ids=\S+)? \{(.*?)\}")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')


class Collective(NamedTuple):
  """Collectives of one kind among groups of one size.

  Attributes:
    kind: One of `KINDS`.
    devices: Devices in a group.
    count: Operations in a run of the program.
    size: Bytes of the whole arrays: those summed, gathered, moved, or not yet
      scattered.
    sent: Bytes that a device sends, and as many it receives, if a group is a
      ring of n devices: 2 (n - 1) / n of `size` for an all-reduce, all of it
      for a permutation, (n - 1) / n for the others.
    waiting: Bytes of `sent` for which the devices wait; they compute while the
      rest is exchanged.
    exact: Whether none is in a loop of unknown length, whose body counts once.
  """

  kind: str
  devices: int
  count: int
  size: int
  sent: int
  waiting: int
  exact: bool


def read_collectives(text: str, num_devices: int) -> tuple[Collective, ...]:
  """Returns the collectives of a program, those that send most first.

  A collective that runs in pieces, a start and a done or more, counts once; the
  body of a loop counts as often as it runs. A start, and a piece in a TPU's
  fusion with other work, are exchanged while the devices compute.

  Args:
    text: `compiled.as_text()`.
    num_devices: Devices on which the program runs: the group where it names
      none.

  Raises:
    ValueError: If the text is not a compiled program's.
  """
  entry, computations = _split(text)
  met = {}  # By channel, which the pieces of a collective share.
  hidden = set()
  for name, line, times, exact in _walk(computations, entry, 1, True):
    if found := _OPERATION.match(line):
      result, kind, start, rest = found.groups()
      devices = _group_size(rest, num_devices)
      size = times * _whole_bytes(kind, result, start is not None, devices)
      if name.startswith("all-reduce-scatter"):  # A sum and its slice, on TPU.
        kind = "reduce-scatter"
      channel = _CHANNEL.search(rest)
      key = channel[1] if channel else line
      met[key] = kind, devices, times, size, exact
      if start or name.startswith(_BACKGROUND):
        hidden.add(key)
  groups = {(kind, devices): [] for kind, devices, *_ in met.values()}
  for key, (kind, devices, times, size, exact) in met.items():
    waited = 0 if key in hidden else size
    groups[kind, devices].append((times, size, waited, exact))
  table = []
  for (kind, devices), figures in groups.items():
    counts, sizes, waited, exact = zip(*figures, strict=True)
    share = _SENT[kind](devices)
    if devices > 1:
      table.append(
        Collective(
          kind=kind,
          devices=devices,
          count=sum(counts),
          size=sum(sizes),
          sent=round(sum(sizes) * share),
          waiting=round(sum(waited) * share),
          exact=all(exact),
        )
      )
  return tuple(sorted(table, key=lambda row: (-row.sent, row)))


def _split(text: str) -> tuple[str, dict[str, list[str]]]:
  """Returns the first computation's name, and the lines of each."""
  computations, entry, lines = {}, None, []
  for line in text.splitlines():
    header = None if line.startswith(" ") else _COMPUTATION.match(line)
    if header:
      lines = computations.setdefault(header[2], [])
      entry = header[2] if header[1] else entry
    else:
      lines.append(line)
  if entry is None:
    raise ValueError("this is not the text of a compiled program.")
  return entry, computations


def _walk(
  computations: dict[str, list[str]], name: str, times: int, exact: bool
) -> Iterator[tuple[str, str, int, bool]]:
  """Yields (computation, line, how often it runs, whether that is known)."""
  for line in computations[name]:
    yield name, line, times, exact
    for role, names in _CALLED.findall(line):
      in_loop, trips = role in ("body", "condition"), _TRIPS.search(line)
      more = int(trips[1]) if in_loop and trips else 1
      known = exact and (not in_loop or trips is not None)
      for called in re.findall(r"%([\w.-]+)", names):
        if called in computations:
          yield from _walk(computations, called, times * more, known)


def _whole_bytes(kind: str, result: str, start: bool, devices: int) -> int:
  """Returns the bytes of the whole arrays, given the type of the result."""
  arrays = _ARRAY.findall(result)
  if start and kind != "all-reduce":  # Operands and results, then scalars.
    total = sum(_bytes(*array) for array in arrays if array[1])
    parts = 2 if kind == "collective-permute" else devices + 1
    return total * (parts - 1) // parts
  total = sum(_bytes(*array) for array in arrays)
  return total * (devices if kind == "reduce-scatter" else 1)


def _bytes(dtype: str, dimensions: str) -> int:
  """Returns the bytes of an array."""
  bits = 8 if dtype == "pred" else int(re.sub(r"\D", "", dtype))
  sides = [int(side) for side in dimensions.split(",") if side]
  return math.prod(sides) * bits // 8


def _group_size(rest: str, num_devices: int) -> int:
  """Returns the devices of a group, in each way in which XLA writes it."""
  if pairs := re.search(r"source_target_pairs=\{(\S+)\}", rest):
    moves = re.findall(r"\{(\d+),(\d+)\}", pairs[1])
    return 2 if any(source != target for source, target in moves) else 1
  if listed := re.search(r"replica_groups=\{\{([\d,]+)\}", rest):
    return len(listed[1].split(","))
  if tiled := re.search(r"replica_groups=\[\d+,(\d+)\]<=", rest):
    return int(tiled[1])
  if named := _MESH.search(rest):
    sizes = dict(re.findall(r"'(\w+)'=(\d+)", named[1]))
    axes = re.findall(r"'(\w+)'(?::\(\d+\)(\d+))?", named[2])
    return math.prod(int(part or sizes[axis]) for axis, part in axes)
  return num_devices
