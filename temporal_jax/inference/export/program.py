"""Traces a network as a function of clips only, for export."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.export
import jax.numpy as jnp
from jax.extend import core

from temporal_jax.inference.runtime.clip_to_probabilities import (
  create_forward,
  prepare_variables,
)
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.ops.lowering.cudnn_attention import without_cudnn
from temporal_jax.training import int8_weights

_MOST_BYTES = 2**31  # The limit of a flatbuffer and of a protocol buffer.


class Program(NamedTuple):
  """A network's function from uint8 clips to probabilities.

  Attributes:
    function: The function, under `jax.jit`; the weights are constants.
    clips: Shape of the clips; for batches of any size with a symbolic B.
    probabilities: Shape of the probabilities, of several tasks a dict.
    steps: The steps of the function.
  """

  function: Callable
  clips: jax.ShapeDtypeStruct
  probabilities: jax.ShapeDtypeStruct | dict[str, jax.ShapeDtypeStruct]
  steps: core.ClosedJaxpr


def trace_network(
  saved: SavedModel, *, batch_size: int | None = None, weights: str = "float32"
) -> Program:
  """Returns a network's program: batch norms folded, class names encoded.

  Args:
    saved: The network.
    batch_size: Clips computed at once, or None for any number.
    weights: "float32", or "int8" for constants that `training.int8_weights`
      packs.

  Raises:
    ImportError: See `prepare_variables`.
    ValueError: If the weights are too large for one file, the network gives
      features or cannot take batches of any size, or see `prepare_variables`.
  """
  saved.check_classifies()
  forward, variables = create_forward(saved), prepare_variables(saved)
  function = jax.jit(lambda clips: forward(variables, clips))
  if weights == "int8":
    # jax's product: NumPy would multiply while the function is traced.
    packed = jax.tree.map(jnp.asarray, int8_weights.pack(variables))
    function = jax.jit(lambda clips: forward(int8_weights.unpack(packed), clips))
  batch = batch_size or jax.export.symbolic_shape("b")[0]
  clips = jax.ShapeDtypeStruct((batch, *saved.clip_shape), jnp.uint8)
  try:
    with without_cudnn():
      traced = function.trace(clips)
  except jax.errors.InconclusiveDimensionOperation as error:
    reason = str(error).partition("\n")[0]
    raise ValueError(
      f"{saved.name} cannot be exported for batches of any size; give a batch "
      f"size. {reason}"
    ) from None
  size = sum(array.nbytes for array in traced.jaxpr.consts)
  if size >= _MOST_BYTES:
    raise ValueError(
      f"the weights of {saved.name} have {size / 1e9:.1f} GB and one file "
      f"holds {_MOST_BYTES / 1e9:.1f}; export as savable."
    )
  return Program(function, clips, traced.out_info, traced.jaxpr)
