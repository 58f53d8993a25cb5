"""Whether a run's network computes what its first weights need."""

import json
import pathlib

import temporal_jax
from temporal_jax.inference.runtime.saved_model import DESCRIPTION
from temporal_jax.models.network import Network


def check_origin(model: Network, init_from: str) -> None:
  """Raises ValueError if a network's activation is not that of its weights.

  Nothing in the parameters' shapes would show it. Operators are not compared:
  to train weights with another one is what many runs are for.

  Args:
    model: The network of the run.
    init_from: Directory of the weights; "" or one without `model.json` is not
      compared.
  """
  path = pathlib.Path(init_from).expanduser() / DESCRIPTION
  if not init_from or not path.is_file():
    return
  description = json.loads(path.read_text())
  origin = temporal_jax.create_model(
    description["model"],
    num_classes=description["num_classes"],
    **description["overrides"],
  )
  theirs, ours = (getattr(x, "activation", None) for x in (origin, model))
  if ours and theirs and ours != theirs:
    raise ValueError(
      f"the weights in {init_from} need activation {theirs!r}, the network has "
      f"{ours!r}: --config.model.activation={theirs}."
    )
