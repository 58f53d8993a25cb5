"""Finds the weights of `config.init_from`, wherever they are."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import ml_collections

from temporal_jax import training
from temporal_jax.experiment.description import Description
from temporal_jax.saved_networks.find import Located, locate
from temporal_jax.storage import whole_folder

# Folder of a workdir with the network that was made of another library's
# weights.
_CONVERTED = "init_from"


class Convert(Protocol):
  """Converts another library's weights; see `pretrained.convert`."""

  def __call__(
    self,
    model: str,
    weights: Located,
    out: pathlib.Path,
    **arguments: Any,
  ) -> None:
    """Writes the folder of a network."""


class StartWeights(NamedTuple):
  """Weights that a run starts from.

  Attributes:
    folder: Folder of a network or a run on this machine; "" for none.
    source: Their origin, for the run's model.json; None if it is only a folder.
    is_new: Whether they were converted for this run.
  """

  folder: str
  source: Mapping[str, Any] | None = None
  is_new: bool = False

  def used_in(self, config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
    """Returns the config with the folder as its `init_from`."""
    config = config.copy_and_resolve_references()
    config.init_from = self.folder
    return config

  def described(self) -> dict[str, Any]:
    """Returns the fields of model.json about the weights."""
    return {"source": dict(self.source)} if self.source else {}

  def named(self, origin: str) -> str:
    """Returns words about their origin, with the address that was asked for.

    Args:
      origin: See `training.Start`; it has the folder on this machine.
    """
    address = (self.source or {}).get("address")
    place = f"weights of {self.folder}"
    return origin.replace(place, f"weights of {address}", 1) if address else origin

  def keep(self, workdir: pathlib.Path) -> None:
    """Keeps weights that were converted, with their report, in the workdir."""
    if not self.is_new:
      return
    kept = workdir / _CONVERTED
    shutil.rmtree(kept, ignore_errors=True)  # An earlier start's.
    with whole_folder(kept) as partial:
      partial.mkdir()
      for file in pathlib.Path(self.folder).iterdir():  # It has no folders.
        shutil.copyfile(file, partial / file.name)


@contextlib.contextmanager
def start_weights(
  config: ml_collections.ConfigDict,
  *,
  earlier: Description | None = None,
  workdir: pathlib.Path | None = None,
  convert: Convert | None = None,
) -> Iterator[StartWeights]:
  """Gives the folder of the weights of `init_from`.

  The weights of a repository are downloaded; those of another library are
  converted for the config's network. A run that resumes needs none of them: its
  own checkpoint replaces them, so that the repository may be gone or changed.

  Args:
    config: The run's config.
    earlier: The model.json of the run that is resumed.
    workdir: Folder of the run; None for a preview.
    convert: Converts weights of another library; None to refuse them.

  Yields:
    The weights; what was converted exists as long as the context.

  Raises:
    FileNotFoundError: If there are no weights.
    ImportError: See `hub.fetch`.
    ValueError: If weights of another library are given without `model.name`,
      for a detector or a preview, do not fit the network, or see `hub.fetch`.
  """
  name = config.init_from
  if not name:
    yield StartWeights("")
    return
  resumes = workdir is not None and training.has_checkpoint(workdir)
  if resumes and not os.path.exists(os.path.expanduser(name)):
    yield StartWeights(str(workdir), (earlier or {}).get("source"))
    return
  found = locate(name)
  source = {"address": str(found.address)} if found.address else None
  if found.is_own or not found.address:
    yield StartWeights(str(found.path), source)
    return
  _check_convertible(config, convert)
  with tempfile.TemporaryDirectory(prefix="temporal_jax_") as place:
    folder = pathlib.Path(place) / _CONVERTED
    convert(config.model.name, found, folder, **_arguments(config))
    yield StartWeights(str(folder), source, is_new=True)


def _check_convertible(
  config: ml_collections.ConfigDict, convert: Convert | None
) -> None:
  """Raises ValueError if weights of another library cannot be taken."""
  address = config.init_from
  what = f"init_from: {address} has weights of another library"
  how = f"`python -m convert_weights inspect {address}`"
  if config.task == "localization":
    raise ValueError(
      f"{what}: of a detector convert them, `python -m convert_weights "
      f"{config.model.name} {address} OUT --features ...`, and take OUT."
    )
  if not config.model.name:
    raise ValueError(
      f"{what}: give the network to make of them, --config.model.name=NAME; {how} "
      "lists those that they fit."
    )
  if convert is None:
    raise ValueError(
      f"{what}: a preview needs them converted, `python -m convert_weights "
      f"{config.model.name} {address} OUT`, and OUT as init_from."
    )


def _arguments(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """Returns the arguments of the network that the config gives.

  Sizes are those that positions are made for, not those of the run's clips.
  """
  model = config.model
  given = {
    "num_frames": model.num_frames,
    "image_size": model.image_size,
    "temporal": model.temporal,
    "activation": model.activation,
    **model.overrides,
  }
  return {name: value for name, value in given.items() if value not in (None, "", 0)}
