"""What the networks of the catalog cost.

python -m temporal_jax.models.inspect.catalog_cost prints the rows of costs.py.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp

from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.models.catalog import registry
from temporal_jax.models.inspect import count

NUM_CLASSES = 400  # Of the networks that are compared.


class Cost(NamedTuple):
  """Trained values, and 1e9 multiply-adds of one view."""

  params: int
  gmacs: float


def count_network(
  name: str, clip_shape: tuple[int, int, int], num_classes: int
) -> Cost:
  """Counts a network for one view; texts are encoded already.

  Args:
    name: In the catalog.
    clip_shape: (T, H, W) of the view.
    num_classes: Classes of the head, L.
  """
  model = registry.create_model(name, num_classes=num_classes)
  clip = jax.ShapeDtypeStruct((1, *clip_shape, 3), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  inputs = [clip]
  if isinstance(model, VideoTextModel):
    texts = (num_classes, model.projection)
    inputs.append(jax.ShapeDtypeStruct(texts, jnp.float32))
  multiply_adds = count.multiply_adds(model.apply, variables, *inputs)
  return Cost(count.parameters(variables), multiply_adds / 1e9)


def rows() -> Iterator[str]:
  """Yields the rows of `costs.COSTS`."""
  for name, spec in registry.MODELS.items():
    cost = count_network(name, spec.clip_shape, NUM_CLASSES)
    yield f'    "{name}": Cost({cost.params:_}, {cost.gmacs:.3f}),'


if __name__ == "__main__":
  for line in rows():
    print(line, flush=True)
