"""BatchNorm that uses its statistics in training, in any network."""

import contextlib
from collections.abc import Callable
from typing import Any

import flax.linen as nn

from temporal_jax.layers import BatchNorm


def frozen_batch_norm() -> contextlib.AbstractContextManager:
  """Within it, every `BatchNorm` normalises and does as in evaluation.

  Its scale and bias are trained unless the optimizer freezes them.
  """
  return nn.intercept_methods(_evaluate)


def _evaluate(
  method: Callable[..., Any],
  args: tuple,
  kwargs: dict[str, Any],
  context: nn.module.InterceptorContext,
) -> Any:
  """Calls `BatchNorm(x, train)` with train=False, all else as it is."""
  if isinstance(context.module, BatchNorm) and context.method_name == "__call__":
    return method(args[0], train=False)
  return method(*args, **kwargs)
