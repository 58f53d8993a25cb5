"""Networks with weights: from a folder or the hub, to a folder or the hub."""

import os
import pathlib
import tempfile
from typing import Any

from temporal_jax import hub
from temporal_jax.inference.export.export_model import export_model
from temporal_jax.inference.export.page import NOT_STATED
from temporal_jax.inference.runtime.saved_model import SavedModel, load_model
from temporal_jax.saved_networks.find import Located, locate


def from_pretrained(
  source: str | os.PathLike,
  *,
  model: str | None = None,
  dtype: str | None = None,
  **arguments: Any,
) -> SavedModel:
  """Returns a network with its weights.

  Args:
    source: A folder that `save_pretrained`, `convert_weights` or a run wrote, a
      bundled network's name, or an address hf://org/name[@revision]. With
      `model`, also a checkpoint of another library: its file, its folder, or
      its address.
    model: Network of the catalog to make of another library's weights; None if
      the weights are of this library.
    dtype: Dtype of the activations; None for the saved one, or else bfloat16
      and on CPU float32.
    **arguments: Arguments of `create_model`, and num_classes, for `model` only.

  Raises:
    FileNotFoundError: If there are no weights.
    ImportError: If the extra "hub", or of files that torch wrote "convert", is
      not installed.
    ValueError: If the weights are damaged, are another library's and no `model`
      is given, do not fit it, or see `hub.fetch`.
  """
  if model is None:
    if arguments:
      raise ValueError(f"{sorted(arguments)} can be given only with model=NAME.")
    return load_model(source, dtype=dtype)
  weights = locate(source)
  if weights.is_own:
    raise ValueError(
      f"{source} is a network of this library: leave out model={model!r}."
    )
  with tempfile.TemporaryDirectory(prefix="temporal_jax_") as place:
    folder = pathlib.Path(place) / "converted"
    convert(model, weights, folder, **arguments)
    return load_model(folder, dtype=dtype)


def convert(model: str, weights: Located, out: pathlib.Path, **arguments: Any) -> None:
  """Makes the folder of a network of another library's weights.

  Args:
    model: Name of the network in the catalog.
    weights: The checkpoint.
    out: The folder to write; must not exist yet.
    **arguments: See `from_pretrained`.

  Raises:
    ValueError: If they do not fit; what differs is listed.
  """
  # Here, since the package itself reads no weights of others.
  from convert_weights.output import save_checkpoint
  from convert_weights.reading import read

  try:
    checkpoint = read(weights.path)
    save_checkpoint(model, checkpoint, out, address=weights.address, **arguments)
  except ValueError as error:
    raise ValueError(f"{weights.name}: {error}") from None


def save_pretrained(
  model: SavedModel | str | os.PathLike,
  folder: str | os.PathLike,
  *,
  license: str | None = None,
) -> dict[str, Any]:
  """Writes a network as a folder that others can read.

  The folder has model.safetensors, whose arrays are named by the leaves, such
  as "params/head/kernel"; model.json, which describes the network;
  classes.json, names of the classes, if they have any; and a model card,
  README.md and card.json. It appears when it is complete.

  Args:
    model: The network; or the folder, name or address of one, e.g. a run's.
    folder: Must not exist yet.
    license: Licence of the weights, an identifier such as "apache-2.0"; None
      for the one that the network has.

  Returns:
    Content of card.json.

  Raises:
    FileExistsError: If the folder exists.
    ValueError: See `load_model`.
  """
  return export_model(model, folder, format="savable", license=license)


def push_to_hub(
  model: SavedModel | str | os.PathLike,
  address: str,
  *,
  license: str | None = None,
  private: bool | None = None,
  message: str = "Upload a network of temporal_jax",
) -> str:
  """Uploads a network as a repository of the hub, in one commit.

  The repository is made if there is none. The token is the client's: `hf auth
  login` or HF_TOKEN.

  Args:
    model: See `save_pretrained`.
    address: hf://org/name, or hf://org/name@branch.
    license: See `save_pretrained`. Others can use weights only by a licence:
      without one they are not uploaded.
    private: Whether a new repository is private; None for the hub's default.
    message: First line of the commit.

  Returns:
    The address with the commit, hf://org/name@hash.

  Raises:
    HubError: If the hub refuses, or cannot be reached.
    ImportError: If the extra "hub" is not installed.
    ValueError: If there is no licence, or see `load_model`.
  """
  target = hub.parse_address(address)
  with tempfile.TemporaryDirectory(prefix="temporal_jax_") as place:
    folder = pathlib.Path(place) / target.repository.rpartition("/")[2]
    card = save_pretrained(model, folder, license=license)
    if card["license"] == NOT_STATED:
      raise ValueError(
        f"{address}: the weights have no licence, so that nobody may use them: give "
        'license=, an identifier such as "apache-2.0".'
      )
    return hub.upload(folder, address, message=message, private=private)
