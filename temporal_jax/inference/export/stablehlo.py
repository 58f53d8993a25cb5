"""Exports a network as StableHLO, which needs only JAX."""

from collections.abc import Sequence

import jax
import jax.export
import numpy as np

from temporal_jax.evaluation.predictions import Scores
from temporal_jax.inference.export.program import Program
from temporal_jax.ops.lowering.cudnn_attention import without_cudnn


def to_stablehlo(program: Program, platforms: Sequence[str]) -> bytes:
  """Returns a file for `jax.export.deserialize`, the weights inside.

  Args:
    program: See `trace_network`.
    platforms: Platforms that it runs on: "cpu", "cuda", "rocm", "tpu".

  Raises:
    ImportError: If the extra "export" is not installed.
  """
  try:
    import flatbuffers  # noqa: F401  jax.export writes by it.
  except ImportError:
    raise ImportError(
      "StableHLO needs the extra 'export': run `pip install '.[export]'` in a "
      "copy of the repository."
    ) from None
  export = jax.export.export(program.function, platforms=platforms)
  with without_cudnn():
    return bytes(export(program.clips).serialize())


def run_stablehlo(content: bytes, clips: np.ndarray) -> Scores:
  """Returns the probabilities that the content of a file gives."""
  call = jax.jit(jax.export.deserialize(content).call)
  return jax.tree.map(np.asarray, call(clips))
