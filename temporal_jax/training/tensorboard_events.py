"""TensorBoard events of a run."""

import pathlib
import time
from collections.abc import Mapping

import tensorboardX
from tensorboardX import event_file_writer
from tensorboardX.proto import event_pb2


class Events:
  """The numbers of a run as TensorBoard reads them.

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

  def write(self, step: int, values: Mapping[str, float]) -> None:
    """Adds the values of a step."""
    for name, value in values.items():
      summary = tensorboardX.summary.scalar(name, value)
      self._write(step=step, summary=summary)
    self._file.flush()

  def close(self) -> None:
    """Closes the file."""
    self._file.close()

  def _write(self, **content: object) -> None:
    event = event_pb2.Event(wall_time=time.time(), **content)
    self._file.write_event(event)
