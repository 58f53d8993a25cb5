"""Training steps of networks of the catalog, as `train.py` runs them."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp

from temporal_jax import models
from temporal_jax.configs import base
from temporal_jax.experiment.preview import PlannedStep, plan_step
from temporal_jax.models.catalog import counted_costs
from temporal_jax.models.inspect import count, trace
from temporal_jax.models.network import Network
from temporal_jax.models.slots import Temporal


def plan(name: str, device: jax.Device, *, batch: int) -> PlannedStep:
  """Plans the training step of configs/base.py on one device.

  Args:
    name: Name in the catalog; clips have its size.
    device: Device, which need not be there.
    batch: Clips.
  """
  frames, side, _ = models.find_model(name).clip_shape
  config = base.get_config()
  config.update_from_flattened_dict(
    {
      "batch_size": batch,
      "data.image_size": side,
      "data.num_classes": (counted_costs.NUM_CLASSES,),
      "data.num_frames": frames,
      "model.dtype": "bfloat16",
      "model.name": name,
    }
  )
  return plan_step(config, [device])


def multiply_adds(name: str, *, batch: int) -> int:
  """Returns the multiply-adds of a step: three times those of forward.

  Those of a clip are those that the authors' code has, where it was counted for
  this view. A step also encodes the texts of all classes, once.
  """
  entry = models.find_model(name)
  cost = counted_costs.read_costs()[name].own
  gmacs = cost.gmacs
  reference = entry.reference_cost
  view = (entry.clip_shape, counted_costs.NUM_CLASSES)
  if reference and (reference.clip_shape, reference.num_classes) == view:
    gmacs = min(gmacs, reference.gmacs)
  texts = _of_texts(models.create_model(name, num_classes=counted_costs.NUM_CLASSES))
  return round(3 * (batch * 1e9 * gmacs + texts))


def _of_texts(network: Network) -> int:
  """Returns the multiply-adds that encode a text per class; 0 without texts."""
  if not network.reads_text:
    return 0
  texts = jax.ShapeDtypeStruct((counted_costs.NUM_CLASSES, network.context), jnp.int32)

  def encode(texts: jax.Array) -> jax.Array:
    out, _ = network.init_with_output(jax.random.key(0), texts, method="encode_text")
    return out

  return count.multiply_adds(encode, texts)


def operator_paths(step: PlannedStep) -> list[str]:
  """Returns the paths of the modules in the network's temporal slots.

  They are scopes in the names of the instructions made of them.
  """
  model = step.components.model
  kinds = {kind.__name__ for kind in _layers(model.temporal)}
  clip = jax.ShapeDtypeStruct(step.settings.clip_shape, jnp.float32)
  calls = trace.trace_calls(lambda clip: model.init(jax.random.key(0), clip), clip)
  found = dict.fromkeys("/".join(call.path) for call in calls if call.kind in kinds)
  return list(found)


def _layers(temporal: Temporal | None) -> Iterator[type]:
  """Yields the classes of the layers in all slots."""
  while temporal is not None:
    for slot in temporal.own_slots():
      factory = getattr(temporal, slot)
      while isinstance(factory, functools.partial):
        factory = factory.func
      yield factory
    temporal = temporal.followed_by
