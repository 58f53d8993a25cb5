"""Checks that a start can write to its workdir and damages nothing."""

import contextlib
import pathlib
import re

from temporal_jax import training
from temporal_jax.experiment.description import Description, Lists
from temporal_jax.saved_networks.folder import MOVED
from temporal_jax.training.load_variables import VARIABLES, VARIABLES_FILE

# Folders that a run writes into its workdir.
_FOLDERS = (training.CHECKPOINTS, "tensorboard", "profile", "wandb")
_FILES = (
  *("config.json", "metrics.jsonl", "model.json", "report.json", "scores.npz"),
  *("timing.jsonl", "observers.json", "calibration.png", "confusion.png"),
  *("curves.png", "predictions.png"),
)
# Fields that may differ when a finished run is evaluated again: how it is
# tested, how long it is, when it is saved, where videos are and how they are
# read. The lists of videos are compared themselves.
_FREE = re.compile(
  r"eval\..*|num_steps|num_epochs|stages|init_from|from_scratch.*"
  r"|(log|eval|save)_every|keep_(checkpoints|best)|stop_after|mesh\..*|sharding.*"
  r"|data\.(root|annotations|videos|manifest|data_dir|num_threads|time_limit|on_error)"
  r"|observers|project|model\.remat|optim\.accumulate"
)
_OVERRIDES = "model.overrides."


def check_places(workdir: pathlib.Path, *, is_probe: bool = False) -> None:
  """Refuses folders where a run writes files, and files where it has folders.

  Args:
    workdir: Folder of the run.
    is_probe: Whether the run is a probe, which a kill may have left with a part
      of its network's files: the next start replaces them.

  Raises:
    ValueError: Naming the first one, or if the folder is a saved network.
  """
  goes_on = is_probe and (workdir / MOVED).is_dir()
  if not goes_on and any(
    (workdir / name).exists() for name in (VARIABLES, VARIABLES_FILE)
  ):
    raise ValueError(
      f"{workdir} is a saved network, whose model.json a run would replace; take "
      f"another --workdir, and --config.init_from={workdir} to start from it."
    )
  for name in _FOLDERS:
    if (workdir / name).exists() and not (workdir / name).is_dir():
      raise ValueError(f"{workdir / name} must be a folder, and is a file: move it.")
  for name in _FILES:
    if (workdir / name).is_dir():
      raise ValueError(f"{workdir / name} must be a file, and is a folder: move it.")


def check_adapters(workdir: pathlib.Path, config: str) -> None:
  """Refuses to go on with adapters of another rank than a checkpoint has.

  Args:
    workdir: Folder of the run.
    config: The config as JSON; see `check_finished`.

  Raises:
    ValueError: Naming the old and the new rank.
  """
  if not training.has_checkpoint(workdir):
    return
  for name, old, new in _changes(workdir, config):
    if name == "adapters.rank" and (old or new):
      raise ValueError(
        f"config.{name} was {old} and is now {new}, which the checkpoints in "
        f"{workdir} do not fit: take the old value or a new --workdir."
      )


def check_finished(
  workdir: pathlib.Path,
  config: str,
  earlier: Description | None,
  lists: Lists,
) -> None:
  """Refuses to evaluate a finished run with another config or other videos.

  Another run would replace its report, config and description.

  Args:
    workdir: Folder of the run.
    config: The config as JSON. A config.json that is damaged, which
      `training.write_config` reports, is not compared.
    earlier: See `earlier_description`.
    lists: The run's lists, see `describe_lists`. Lists of as many videos, which
      may only have another order, are left to `differences`.

  Raises:
    ValueError: Naming the first field that differs and determines the report,
      with its old and its new value, or the numbers of test videos.
  """
  for name, old, new in _changes(workdir, config):
    # Older versions had fewer fields, except for the network's.
    is_new_field = old is None and not name.startswith(_OVERRIDES)
    if not _FREE.fullmatch(name) and not is_new_field:
      raise _finished(workdir, f"config.{name} was {old} and is now {new}")
  listed = (earlier or {}).get("lists", {}).get("test")
  count = lists["test"]["videos"]
  if listed and listed["videos"] != count:
    what = f"it was tested on {listed['videos']} videos, now there are {count}"
    raise _finished(workdir, what)


def _changes(workdir: pathlib.Path, config: str) -> list[training.ConfigChange]:
  """Returns the fields that differ from config.json; [] if that is damaged."""
  with contextlib.suppress(ValueError):
    return training.config_changes(workdir, config)
  return []


def _finished(workdir: pathlib.Path, what: str) -> ValueError:
  return ValueError(
    f"{workdir} is a finished run, whose report would become another: {what}. Take "
    "what it was trained with (only config.eval may differ), or a new --workdir."
  )
