"""Exports a network as ONNX, for onnxruntime and others."""

import contextlib
import logging
from collections.abc import Iterator

import jax
import numpy as np

from temporal_jax.evaluation.predictions import Scores
from temporal_jax.inference.export.portable import write_out
from temporal_jax.inference.export.program import Program


def to_onnx(program: Program, name: str) -> bytes:
  """Returns the content of an ONNX file, the weights inside.

  Its input is "clips"; its output "probabilities", or of several tasks there is
  one of each name.

  Args:
    program: See `trace_network`; in float32.
    name: Name of the graph.

  Raises:
    ImportError: If the extra "export" is not installed.
    ValueError: If a step cannot be written as ONNX.
  """
  try:
    import jax2onnx
  except ImportError:
    raise ImportError(
      "ONNX needs the extra 'export': run `pip install '.[export]'` in a copy of the "
      "repository."
    ) from None
  tasks = program.probabilities
  names = sorted(tasks) if isinstance(tasks, dict) else ["probabilities"]
  try:
    with _quiet():
      model = jax2onnx.to_onnx(
        write_out(program.steps),
        [program.clips],
        model_name=name,
        input_names=["clips"],
        output_names=names,
      )
  except (NotImplementedError, jax.errors.InconclusiveDimensionOperation) as e:
    reason = str(e).partition("\n")[0]
    raise ValueError(f"a step of {name} cannot be written as ONNX: {reason}") from None
  return model.SerializeToString()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
  """Silences warnings of functions that are not met here.

  jax2onnx reads its converters of all JAX when it is first called, and warns of
  each that is not for this version of JAX.
  """
  loggers = [logging.getLogger(name) for name in ("jax2onnx", "onnx_ir")]
  levels = [logger.level for logger in loggers]
  for logger in loggers:
    logger.setLevel(logging.ERROR)
  try:
    yield
  finally:
    for logger, level in zip(loggers, levels, strict=True):
      logger.setLevel(level)


def run_onnx(content: bytes, clips: np.ndarray) -> Scores:
  """Returns the probabilities that the content of a file gives."""
  import onnxruntime

  session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
  names = [output.name for output in session.get_outputs()]
  found = dict(zip(names, session.run(names, {"clips": clips}), strict=True))
  return found.get("probabilities", found)
