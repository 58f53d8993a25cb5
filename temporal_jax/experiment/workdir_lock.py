"""Locks a run's workdir, so that only one process trains in it."""

import contextlib
import pathlib
from collections.abc import Iterator

import jax
import numpy as np
from jax.experimental import multihost_utils

from temporal_jax import hub, storage, training


@contextlib.contextmanager
def lock(
  workdir: pathlib.Path, *, wait: bool, stop: training.StopRequest
) -> Iterator[None]:
  """Keeps other starts out of a workdir; of several processes the first does.

  Every process of the run must call it.

  Args:
    workdir: Folder of the run.
    wait: Whether to wait for another start to end, instead of leaving.
    stop: Request that ends the waiting.

  Raises:
    storage.FolderInUseError: On all processes if another start is in it.
    OSError: If the workdir cannot be written to.
    ValueError: If it is an address of the hub or of a bucket.
  """
  storage.refuse_bucket(workdir, "the workdir")
  hub.refuse_address(workdir, "temporal_jax.push_to_hub uploads the run afterwards")
  folder = storage.FolderLock(
    workdir, wait=wait, stopped=lambda: stop.signal is not None
  )
  with contextlib.ExitStack() as held:
    refused: Exception | None = None
    if jax.process_index() == 0:
      try:
        held.enter_context(folder)
      except (OSError, storage.FolderInUseError) as error:
        refused = error
    if jax.process_count() > 1:
      failed = multihost_utils.broadcast_one_to_all(np.array(bool(refused)))
      if failed and not refused:
        refused = storage.FolderInUseError(
          f"the first process could not lock {workdir}; see its error."
        )
    if refused:
      raise refused
    if jax.process_index() == 0:
      held.callback(_remove_empty, workdir)
    yield


def _remove_empty(workdir: pathlib.Path) -> None:
  """Removes the empty folders that a refused first start leaves."""
  for folder in (
    *workdir.glob(f"stage_*/{training.CHECKPOINTS}"),
    *workdir.glob("stage_*"),
    workdir / training.CHECKPOINTS,
  ):
    with contextlib.suppress(OSError):  # It holds something.
      folder.rmdir()
