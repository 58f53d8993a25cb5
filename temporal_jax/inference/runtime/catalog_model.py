"""A network of the catalog with weights of any origin, or new."""

import os
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax import models
from temporal_jax.data.labels import ClassNames
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.models.inspect.variables import count_classes, differing
from temporal_jax.saved_networks.find import find_folder
from temporal_jax.training import default_dtype
from temporal_jax.training.host_init import run_on_host
from temporal_jax.training.load_variables import load_variables

Weights = Mapping[str, Any] | str | os.PathLike


def catalog_model(
  name: str,
  weights: Weights,
  *,
  class_names: ClassNames = (),
  **arguments: Any,
) -> SavedModel:
  """Returns a network of the catalog with given weights.

  It looks at one clip in the middle of a video, with the pixel statistics of
  the catalog.

  Args:
    name: Name in the catalog.
    weights: {"params"} and, of batch norms, {"batch_stats"}, as
      `convert_weights.convert` makes them; or a directory of them or its
      address, see `load_variables`.
    class_names: One name per class, or a dict with one entry per task; without
      them classes have numbers.
    **arguments: See `new_model`.

  Raises:
    FileNotFoundError: If there are no weights in the directory.
    TypeError: See `create_model`.
    ValueError: If the weights are not of this network, there are not as many
      names as classes, or see `create_model`.
  """
  models.find_model(name)  # A wrong name is refused before weights are read.
  if not isinstance(weights, Mapping):
    weights = load_variables(find_folder(weights))
  if "params" not in weights:
    raise ValueError(f"the weights have no 'params', only {sorted(weights)}.")
  weights = {"batch_stats": {}, **weights}
  num_classes = count_classes(weights)
  _check_names(class_names, num_classes)
  saved = _without_weights(name, num_classes, **arguments)
  target = jax.eval_shape(saved.network.init, *_example(saved))
  if wrong := differing(target, weights):
    raise ValueError(
      f"the weights are not of {name}: {len(wrong)} leaves are missing, new or "
      f"of another shape, {', '.join(wrong[:3])} first."
    )
  return saved._replace(variables=weights, class_names=class_names)


def new_model(name: str, *, num_classes: int = 400, **arguments: Any) -> SavedModel:
  """Returns a network of the catalog with its first, untrained weights.

  Args:
    name: Name in the catalog.
    num_classes: Outputs of the classifier, L.
    **arguments: Arguments of `create_model`, e.g. num_frames and image_size, as
      published by default, or dtype, of the activations, by default bfloat16,
      and on CPU float32.

  Raises:
    TypeError: See `create_model`.
    ValueError: See `create_model`.
  """
  saved = _without_weights(name, num_classes, **arguments)
  variables = run_on_host(saved.network.init, *_example(saved))
  return saved._replace(variables=variables)


def _without_weights(
  name: str,
  num_classes: int | Mapping[str, int] | None,
  *,
  num_frames: int | None = None,
  image_size: int | None = None,
  dtype: str | None = None,
  **overrides: Any,
) -> SavedModel:
  spec = models.find_model(name)
  network = models.create_model(
    name,
    num_classes=num_classes,
    num_frames=num_frames,
    image_size=image_size,
    dtype=dtype or default_dtype(),
    **overrides,
  )
  frames, height, _ = spec.clip_shape
  frames, side = num_frames or frames, image_size or height
  return SavedModel(
    name,
    network,
    variables={},
    clip_shape=(frames, side, side, 3),
    class_names=(),
    pixels={"mean": spec.mean, "std": spec.std},
    protocol=EvalProtocol(num_frames=frames, crop_size=side, short_side=side),
    description={"num_classes": num_classes},
  )


def _example(saved: SavedModel) -> tuple[jax.Array, jax.Array]:
  """Returns the example inputs that initialise the network."""
  return jax.random.key(0), jnp.zeros((1, *saved.clip_shape))


def _check_names(
  class_names: ClassNames, num_classes: int | Mapping[str, int] | None
) -> None:
  """Raises ValueError if classes have names, and others than there are."""
  if not class_names or num_classes is None:
    return
  if isinstance(class_names, Mapping):
    given = {task: len(names) for task, names in class_names.items()}
  else:
    given = len(class_names)
  if given != num_classes:
    raise ValueError(
      f"there are names of {given} classes, the weights are of {num_classes}."
    )
