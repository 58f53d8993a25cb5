"""The network of a run, and its inputs other than clips."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections

from temporal_jax import models, training
from temporal_jax.experiment.classes import Classes
from temporal_jax.experiment.config_fields import check_overrides
from temporal_jax.models.network import Network
from temporal_jax.text.tokenizer import tokenize


def create_network(config: ml_collections.ConfigDict, classes: Classes) -> Network:
  """Builds the network, without parameters.

  Raises:
    ValueError: See `check_overrides` and `create_model`.
  """
  check_overrides(config)
  remat = {"remat": True} if config.model.remat else {}
  return models.create_model(
    config.model.name,
    num_classes=classes,
    dtype=config.model.dtype or training.default_dtype(),
    **remat,
    **network_arguments(config),
  )


def network_arguments(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """Returns the arguments that differ from the catalog's."""
  named = config.model.activation
  return {
    "num_frames": config.model.num_frames or config.data.num_frames,
    "image_size": config.model.image_size or config.data.image_size,
    "temporal": config.model.temporal,
    **({"activation": named} if named else {}),
    **config.model.overrides,
  }


def num_channels(config: ml_collections.ConfigDict) -> int:
  """Returns the channels of a frame, C: 3, or more for optical flow."""
  return 2 * config.data.flow or 3


def text_is_frozen(groups: Mapping[str, training.Group]) -> bool:
  """Whether no parameter of the text tower is trained."""
  tower = (
    group
    for name, group in groups.items()
    if training.adapted_kernel(name).startswith("text/")
  )
  return all(group.frozen for group in tower)


def other_inputs(
  model: Network,
  names: Sequence[str] | Mapping[str, Sequence[str]],
  variables: Any,
  groups: Mapping[str, training.Group],
) -> dict[str, jax.Array]:
  """Returns the network's inputs other than clips: the classes' names as texts.

  Args:
    model: The network.
    names: Names of the classes.
    variables: {"params", "batch_stats"} the run starts from.
    groups: Groups of the parameters: of a text tower that is frozen the
      features are computed once, here.

  Returns:
    {"text": tokens (L, N) int32 or features (L, D)} for a network that compares
    clips with texts, else {}.

  Raises:
    ImportError: If the extra "text" is not installed.
    ValueError: If such a network is to have several tasks.
  """
  if not model.reads_text:
    return {}
  if isinstance(names, Mapping):
    raise ValueError("a network that reads the classes' names has one task.")
  tokens = jnp.asarray(tokenize(names, context=model.context))
  if not text_is_frozen(groups):
    return {"text": tokens}
  encode = jax.jit(
    lambda variables: model.apply(
      {**variables, "params": training.merge(variables["params"])},
      tokens,
      method="encode_text",
    )
  )
  return {"text": encode(variables)}


def blank_inputs(
  model: Network, classes: int, groups: Mapping[str, training.Group]
) -> dict[str, jax.Array]:
  """Returns zeros of the shapes of `other_inputs`."""
  if not model.reads_text:
    return {}
  if text_is_frozen(groups):
    return {"text": jnp.zeros((classes, model.projection))}
  return {"text": jnp.zeros((classes, model.context), jnp.int32)}
