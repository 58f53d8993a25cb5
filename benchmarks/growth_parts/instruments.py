"""Instruments that measure what subjects cost at each of their sizes."""

import functools
import itertools
import os
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.compiled import jobs, operators, reports
from benchmarks.compiled.child import compile_all
from benchmarks.compiled.target import TPU
from benchmarks.growth_parts import devices
from benchmarks.growth_parts.fit import FITTED, fit_power
from benchmarks.growth_parts.subjects import (
  AXES,
  KINDS,
  SUBJECTS,
  Program,
  Sizes,
  Subject,
)
from benchmarks.memory import temporary_bytes
from benchmarks.shared import network_sides, timing
from temporal_jax.models.inspect import count

# Networks whose training step's memory is compiled: those of bLVNet's figure
# 3b, and one for each way to attend.
MEMORY = (
  "tsn_resnet50",
  "blvnet_tam_50",
  "vit_b32_spatial",
  "vit_b32_joint",
  "vit_b32_divided",
  "xvit_b16",
)


class Request(NamedTuple):
  """Measurements that are asked for.

  Attributes:
    names: Names of the subjects.
    axes: Names of the axes.
    kinds: Kinds of the subjects.
    points: Sizes of each axis, the smallest first; None for all.
    seconds: Time to spend on the turns of a row, at least three turns.
    processor_time: Whether the processor's seconds are counted, over all
      threads, in place of the clock's.
    chip: TPU of the estimates.
    done: Names and axes that are not measured again.
  """

  names: Sequence[str]
  axes: Sequence[str]
  kinds: Sequence[str] = KINDS
  points: int | None = None
  seconds: float = 10.0
  processor_time: bool = False
  chip: str = "v5e"
  done: Collection[tuple[str, str]] = ()

  def rows(
    self, kinds: Sequence[str], axes: Sequence[str] = tuple(AXES)
  ) -> Iterator[tuple[str, str, Subject, list[Sizes]]]:
    """Yields name, axis, subject and sizes of what has two sizes or more.

    Args:
      kinds: Kinds that an instrument can measure.
      axes: Axes that it can measure.
    """
    kinds = {*kinds} & {*self.kinds}
    for name, axis in itertools.product(self.names, self.axes):
      sizes = SUBJECTS[name].sizes(axis, self.points)
      wanted = SUBJECTS[name].kind in kinds and axis in axes
      if wanted and len(sizes) > 1 and (name, axis) not in self.done:
        yield name, axis, SUBJECTS[name], sizes


def _row(
  name: str, axis: str, quantity: str, sizes: Sequence[float], values: Sequence[float]
) -> dict[str, Any]:
  """Returns a row of the report, with its exponent if anything is above 0."""
  row = {"name": name, "axis": axis, "quantity": quantity}
  row |= {"sizes": [*sizes], "values": [*values]}
  if sum(value > 0 for value in values) > 1:
    row |= {k: round(v, 4) for k, v in fit_power(sizes, values)._asdict().items()}
  return row


def products(request: Request) -> Iterator[dict[str, Any]]:
  """Yields multiply-adds of inference; nothing is compiled."""
  for name, axis, subject, sizes in request.rows(KINDS):
    programs = [subject.program(size) for size in sizes]
    counts = [count.multiply_adds(p.function, *p.shapes) for p in programs]
    extents = [getattr(size, axis) for size in sizes]
    yield _row(name, axis, "multiply-adds", extents, counts)


def memory(request: Request) -> Iterator[dict[str, Any]]:
  """Yields the bytes that XLA sets aside on this device, of the largest sizes.

  Those of an operator are inputs, results and temporaries of forward and
  backward; those of a network the temporaries of a training step's gradients
  with 1 clip, over the frames.
  """
  every = (
    *request.rows(("operator",), ("frames", "places", "width")),
    *request.rows(("case", "network"), ("frames",)),
  )
  for name, axis, subject, sizes in every:
    sizes = sizes[-FITTED:]
    if subject.kind != "network":
      fixed = int(subject.case.of_pixels) if subject.case else 0
      held = [_held_bytes(subject.program(size), fixed) for size in sizes]
    elif name in MEMORY:
      held = [
        temporary_bytes(name, batch=1, frames=size.frames, dtype="float32", remat=False)
        for size in sizes
      ]
    else:
      continue
    extents = [getattr(size, axis) for size in sizes]
    yield _row(name, axis, "memory", extents, held)


def _held_bytes(program: Program, fixed: int) -> int:
  """Returns the bytes of forward and backward: inputs, results, temporaries."""
  out = jax.eval_shape(program.function, *program.shapes)
  both = operators.with_gradients(program.function, fixed=fixed)
  compiled = jax.jit(both).lower(out, *program.shapes).compile()
  found = compiled.memory_analysis()
  return (
    found.argument_size_in_bytes
    + found.output_size_in_bytes
    + found.temp_size_in_bytes
    - found.alias_size_in_bytes
  )


def clock(request: Request) -> Iterator[dict[str, Any]]:
  """Yields the milliseconds of inference, medians of turns.

  All sizes of a row take turns, so that a busy machine slows all of them.
  Networks are timed over their frames only.
  """
  every = (
    *request.rows(("operator",)),
    *request.rows(("case", "network"), ("frames",)),
  )
  of = time.process_time if request.processor_time else time.perf_counter
  for name, axis, subject, sizes in every:
    drawn: dict[Any, jax.Array] = {}
    runs = [_compile(subject.program(size), drawn) for size in sizes]
    turns = timing.in_turns(
      runs, seconds=request.seconds, turns=(3, 9), repeats=1, clock=of
    )
    medians = [statistics.median(times) for times in zip(*turns, strict=True)]
    extents = [getattr(size, axis) for size in sizes]
    row = _row(name, axis, "time", extents, [round(ms, 4) for ms in medians])
    yield row | {"turns": len(turns), "load": round(os.getloadavg()[0], 1)}
    del runs, drawn
    network_sides.free_memory()


def _compile(program: Program, drawn: dict[Any, jax.Array]) -> Callable[[], Any]:
  """Returns a function that runs a program once and waits.

  Args:
    program: The program.
    drawn: Arguments by place and shape, which programs share.
  """

  def draw(path, leaf):
    key = (path, leaf.shape)
    if key not in drawn:
      rng = np.random.default_rng(0)
      value = rng.standard_normal(leaf.shape, np.float32)
      if path[0].idx == 0 and len(path) > 1:  # A module's variables are small.
        is_variance = str(path[-1]).endswith("'var']")
        value = np.ones_like(value) if is_variance else value / 20
      drawn[key] = jax.device_put(value)
    return drawn[key]

  arguments = jax.tree_util.tree_map_with_path(draw, tuple(program.shapes))
  return network_sides.compile_ahead(program.function, *arguments).run


def tpu(request: Request) -> Iterator[dict[str, Any]]:
  """Yields estimated microseconds on a TPU that need not be there, forward.

  A row of "TPU cycles" has those of the matrix units. Features are bfloat16. A
  case has 8 clips, as in benchmarks.tpu, an operator 32, so that few of its
  arrays fit into the memory on the chip. Networks are left out, as each takes
  minutes.
  """
  jobs.prepare()
  todo, found = [], {}
  every = [
    *request.rows(("operator",), ("frames", "places", "width")),
    *request.rows(("case",), ("frames",)),
  ]
  every = [(*one, sizes[-FITTED:]) for *one, sizes in every]
  for name, axis, subject, sizes in every:
    batch = 8 if subject.kind == "case" else 32
    for size in sizes:
      key = {"name": name, "axis": axis, "size": getattr(size, axis)}
      lower = functools.partial(
        _lower, subject.program, size._replace(batch=batch), request.chip
      )
      todo.append(jobs.job(key, lower, TPU))
  outcomes = compile_all(todo)
  for name, axis, _, sizes in every:
    for outcome in itertools.islice(outcomes, len(sizes)):
      report = reports.report(outcome, TPU.chips[request.chip])
      found[report["name"], report["axis"], report["size"]] = report
    extents = [getattr(size, axis) for size in sizes]
    of_row = [found[name, axis, size] for size in extents]
    errors = [one["error"] for one in of_row if "error" in one]
    if errors:
      yield {"name": name, "axis": axis, "quantity": "TPU", "error": errors[0]}
    else:
      estimates = [one["estimate_us"] for one in of_row]
      row = _row(name, axis, "TPU", extents, estimates)
      yield row | {"padded_bytes": [one["padded_bytes"] for one in of_row]}
      cycles = [one["matrix_cycles"] for one in of_row]
      yield _row(name, axis, "TPU cycles", extents, cycles)


def _lower(
  program: Callable[[Sizes], Program], size: Sizes, chip: str
) -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
  """Lowers a program with features in bfloat16; runs in the child."""
  function, shapes = program(size)
  shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, jnp.bfloat16), shapes)
  facts = {"multiply_adds": 1, "least_bytes": 1}  # No ideal is asked for.
  return TPU.lower(function, tuple(shapes), TPU.device(chip)), facts


def on_devices(request: Request) -> Iterator[dict[str, Any]]:
  """Yields work, memory and traffic of one of several simulated devices."""
  done = [name for name, axis in request.done if axis == "devices"]
  for name, quantity, sizes, values in devices.measure(request.points, done):
    yield _row(name, "devices", quantity, sizes, values)


INSTRUMENTS: Mapping[str, Callable[[Request], Iterator[dict[str, Any]]]] = (
  MappingProxyType(
    {
      "products": products,
      "memory": memory,
      "clock": clock,
      "tpu": tpu,
      "devices": on_devices,
    }
  )
)
