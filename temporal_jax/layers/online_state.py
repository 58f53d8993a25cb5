"""State of online layers, which see one frame of a stream at a time.

Layers run online where the variable collection "cache" is mutable, which it is
only if asked for:

  (logits, _), kept = network.apply(
    {**variables, **kept}, frame, mutable=["cache"]
  )

With frame (B, 1, H, W, 3). Without a cache a new stream begins. A layer that
can has the property `online`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

CACHE = "cache"


def is_online(module: nn.Module) -> bool:
  """Returns whether a module runs on a frame of a stream, not on clips."""
  return module.is_mutable_collection(CACHE) and not module.is_initializing()


def only_frame(module: nn.Module, x: jax.Array) -> jax.Array:
  """Returns the frame (B, ..., C) that `x` (B, 1, ..., C) is.

  Raises:
    ValueError: If the module cannot run online, or there are more frames.
  """
  if not module.online:
    raise ValueError(f"{module} needs more than past frames of a stream.")
  if x.shape[1] != 1:
    raise ValueError(f"a stream comes frame by frame, got frames {x.shape}.")
  return x[:, 0]


def remember(
  module: nn.Module, shape: tuple[int, ...], dtype: jax.typing.DTypeLike
) -> nn.Variable:
  """Returns a module's state of past frames, zeros before the first.

  Must be called in a compact method.
  """
  return module.variable(CACHE, "past", jnp.zeros, shape, dtype)
