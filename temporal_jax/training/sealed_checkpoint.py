"""Checkpoints with a list of their files' sha256, to detect damage."""

import asyncio
import dataclasses
import json
import os
import pathlib
import shutil

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from orbax.checkpoint.path import atomicity

from temporal_jax import storage

SCORES = "scores"  # Key of the test values in a checkpoint's metadata.
_ABOUT = "_CHECKPOINT_METADATA"  # File of these, by Orbax.


class SealedPath(atomicity.AtomicRenameTemporaryPath):
  """Temporary folder in which Orbax writes a checkpoint.

  Before the rename that completes it, all its files are listed with their
  sha256, and everything is on the disk.
  """

  async def finalize(self) -> None:
    """Completes the files, lists them, and renames the folder."""
    final = self._final_path
    if not final.name.isdigit():  # A part of a checkpoint, listed with it.
      await super().finalize()
      return
    # A name that Orbax still takes for an unfinished checkpoint.
    whole = final.parent / f"{final.name}{atomicity.TMP_DIR_SUFFIX}.whole"
    # A start that was killed here left it, for the same step.
    await asyncio.to_thread(shutil.rmtree, os.fspath(whole), ignore_errors=True)
    self._final_path = whole
    try:
      await super().finalize()
    finally:
      self._final_path = final
    await asyncio.to_thread(_seal, os.fspath(whole), os.fspath(final))


def _seal(whole: str, final: str) -> None:
  storage.write_digests(whole)
  storage.sync_all(whole)
  os.rename(whole, final)
  storage.sync(os.path.dirname(final))


class SealedManager(ocp.CheckpointManager):
  """Orbax's manager, which opens whatever its checkpoints look like."""

  def _load_checkpoint_infos(self, skip_metadata_read: bool = False) -> list:
    """Lists the checkpoints by their names, whatever is in them."""
    del skip_metadata_read  # Orbax fails at metadata that are damaged.
    infos = super()._load_checkpoint_infos(skip_metadata_read=True)
    return [
      dataclasses.replace(info, metrics=self.metrics(info.step)) for info in infos
    ]

  def metrics(self, step: int) -> dict[str, float] | None:
    """Returns the test values that `Checkpoints.save` got for a checkpoint.

    None if it got none, or they are damaged.
    """
    folder = pathlib.Path(self.directory) / str(step)
    try:
      digests = storage.read_digests(folder) or {}
      if storage.damaged_files(folder, {_ABOUT: digests[_ABOUT]}):
        return None
      about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
      return about["custom_metadata"].get(SCORES)
    except (KeyError, OSError, ValueError):
      return None


def check_sealed(folder: pathlib.Path) -> bool:
  """Compares a checkpoint with its list; several processes share the work.

  Every process must call it.

  Returns:
    Whether the checkpoint has a list.

  Raises:
    ValueError: On all processes if a file is damaged, naming it.
  """
  count, index = jax.process_count(), jax.process_index()
  if count == 1:
    return storage.check_digests(folder)
  digests = storage.read_digests(folder)
  names = sorted(digests or {})
  damaged = storage.damaged_files(
    folder, {name: digests[name] for name in names[index::count]}
  )
  first = names.index(min(damaged)) if damaged else -1
  worst = int(np.max(multihost_utils.process_allgather(np.array(first))))
  if worst >= 0:
    raise ValueError(
      f"{folder / names[worst]} is not what was written, or its line in "
      f"{storage.DIGESTS} is not."
    )
  return digests is not None
