"""The linear classifier after a backbone, for one task or several."""

from collections.abc import Mapping

import flax.linen as nn
import jax

from temporal_jax.ops.lowering.accumulation_dtype import widen


class Classifier(nn.Module):
  """Linear logits, float32 at least: one array, or one for each task.

  Logits are raw: a softmax follows where one class is right, a sigmoid where
  several may be (multi-label), and the network is the same.

  Attributes:
    num_classes: Classes, L; or tasks and their classes, e.g.
      {"verb": 97, "noun": 300} for EPIC-Kitchens. The parameters of the one
      task have no level of their own.

  Source: for several tasks class `BaseHeadx2` in models/base/base_blocks.py of
    alibaba-mmai-research/TAdaConv.
  """

  num_classes: int | Mapping[str, int]

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array | dict[str, jax.Array]:
    """Maps (..., D) to logits (..., L), or to a dict of such."""
    x = widen(x)
    if isinstance(self.num_classes, Mapping):
      return {
        task: nn.Dense(classes, dtype=x.dtype, name=task)(x)
        for task, classes in self.num_classes.items()
      }
    dense = nn.Dense(self.num_classes, dtype=x.dtype, name="dense")
    nn.share_scope(self, dense)
    return dense(x)
