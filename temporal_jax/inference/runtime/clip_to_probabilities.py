"""Maps uint8 clips to class probabilities by a saved network."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax.errors import FlaxError

from temporal_jax import data, models
from temporal_jax.inference.runtime.prompts import PLAIN
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.runtime.text_encoder import TextEncoder

Logits = jax.Array | dict[str, jax.Array]
Probabilities = jax.Array | dict[str, jax.Array]
Forward = Callable[[Mapping[str, Any], jax.Array], Probabilities]


def create_forward(saved: SavedModel) -> Forward:
  """Returns `forward(variables, clip) -> probabilities`, a pure function.

  It takes clips (B, T, H, W, 3) uint8 and normalises their pixels.
  Probabilities are (B, L) float32, of several tasks a dict of them; of several
  labels per clip each class has its own, from a sigmoid, else they are the
  softmax of all. Logits are divided by the "temperature" of the description
  first, see `store_temperature`.

  While it is traced, it raises ValueError if the network does not take clips of
  that shape.

  Args:
    saved: The network. One that compares clips with texts takes the texts of
      its class names; see `prepare_variables`.
  """
  network = saved.network

  def forward(variables: Mapping[str, Any], clip: jax.Array) -> Probabilities:
    variables = dict(variables)
    inputs = variables.pop("inputs", {})
    pixels = data.normalize(clip, saved.pixels["mean"], saved.pixels["std"])
    with _naming(saved, clip.shape):
      logits, _ = network.apply(variables, pixels, **inputs, train=False)
    return to_probabilities(saved, logits)

  return forward


@contextlib.contextmanager
def _naming(saved: SavedModel, shape: tuple[int, ...]) -> Iterator[None]:
  """Names network and clips in errors of layers while they are traced."""
  try:
    yield
  except (ArithmeticError, LookupError, TypeError, FlaxError) as error:
    words = str(error).strip().splitlines() or [type(error).__name__]
    raise ValueError(
      f"{saved.name} of model.json does not take clips {shape} with its "
      f"variables: {words[0][:300]}"
    ) from error


def to_probabilities(saved: SavedModel, logits: Logits) -> Probabilities:
  """Maps logits (..., L) to float32 probabilities; see `create_forward`."""
  activation = (
    jax.nn.sigmoid if saved.description.get("multi_label") else jax.nn.softmax
  )
  temperature = saved.description.get("temperature", 1.0)
  if isinstance(logits, Mapping) and not isinstance(temperature, Mapping):
    temperature = dict.fromkeys(logits, temperature)
  return jax.tree.map(
    lambda values, of_task: activation(values.astype(jnp.float32) / of_task),
    logits,
    temperature,
  )


def prepare_variables(saved: SavedModel) -> dict[str, Any]:
  """Folds batch norms and encodes class names, for `forward`.

  Args:
    saved: The network. Class names go into the "templates" of its description,
      see `prompts`; where it has none, they are the texts themselves.

  Raises:
    ImportError: If texts are needed and the extra "text" is not installed.
    ValueError: If texts are needed and there are no class names.
  """
  variables = models.fold_batch_norm(saved.variables)
  if not saved.network.reads_text:
    return variables
  if not saved.class_names:
    raise ValueError(
      f"{saved.name} compares clips with the names of classes, and there are "
      "none in its model.json. Give labels: --labels of the commands zeroshot "
      "and visualize, --labels of convert_weights, or `with_labels` in Python."
    )
  templates = saved.description.get("templates", PLAIN)
  text = TextEncoder(saved)(saved.class_names, templates)
  return {**variables, "inputs": {"text": text}}


def prepare_shapes(outline: SavedModel) -> dict[str, Any]:
  """Returns the shapes of the results of `prepare_variables`.

  Args:
    outline: The network; its variables are jax.ShapeDtypeStruct.
  """
  shapes = jax.eval_shape(models.fold_batch_norm, outline.variables)
  if not outline.network.reads_text:
    return shapes
  features = (len(outline.class_names), outline.network.projection)
  return {**shapes, "inputs": {"text": jax.ShapeDtypeStruct(features, jnp.float32)}}
