"""TensorBoard events of a run."""

import pathlib
import time
from collections.abc import Mapping

import tensorboardX
from tensorboardX import event_file_writer
from tensorboardX.proto import event_pb2

from temporal_jax.training.observers import RunStart


class Events:
  """The numbers of a run as TensorBoard reads them, see `observers.Observer`.

  Written by the thread that calls, so that it gets the error of a full disk.
  """

  def __init__(self, folder: str | pathlib.Path, first_step: int):
    """Opens a new file.

    Args:
      folder: The run's folder of such files, which may be new.
      first_step: TensorBoard drops events of earlier files from here on.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    self._file = event_file_writer.EventsWriter(str(folder / "events"))
    begin = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    self._write(step=first_step, session_log=begin)

  def row(self, step: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
      summary = tensorboardX.summary.scalar(name, value)
      self._write(step=step, summary=summary)
    self._file.flush()

  def end(self, failed: bool) -> None:
    del failed  # Events have no such state.
    self._file.close()

  def _write(self, **content: object) -> None:
    event = event_pb2.Event(wall_time=time.time(), **content)
    self._file.write_event(event)


def open_events(start: RunStart) -> Events:
  """Opens the events of a start, in the run's own folder of them."""
  return Events(start.workdir / "tensorboard", start.step + 1)
