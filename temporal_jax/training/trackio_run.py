"""A run in Trackio; imported only if the observer is chosen.

Source: the package trackio, `trackio.init`.
"""

from collections.abc import Mapping

import trackio

from temporal_jax.training.observers import RunStart


class TrackioRun:
  """An observer, see `observers.Observer`. Variables TRACKIO_* count.

  All starts of a workdir are one run there, which Trackio knows by its name.
  """

  def __init__(self, start: RunStart):
    self._run = trackio.init(
      project=start.project or "temporal_jax",
      name=f"{start.workdir.resolve().name}-{start.run_id()}",
      resume="allow",
      config=start.settings,
      embed=False,  # No dashboard in a notebook's cell.
    )

  def row(self, step: int, values: Mapping[str, float]) -> None:
    self._run.log(dict(values), step=step)

  def end(self, failed: bool) -> None:
    del failed  # Trackio has no such state.
    trackio.finish()
