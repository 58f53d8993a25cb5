"""Refuses scores that are NaN or infinite."""

from collections.abc import Mapping, Sequence

import numpy as np

_NAMED = 5  # Clips that a message names, at most.


def check_finite(
  scores: np.ndarray | Mapping[str, np.ndarray],
  ids: Sequence[str] | None = None,
  what: str = "scores",
) -> None:
  """Refuses scores that are NaN or infinite.

  NaN compares as neither larger nor smaller than any number, so that a ranking
  would place it anywhere: as the right class, or as class 0.

  Args:
    scores: (N, ...) scores of N clips, or a dict with one array per task.
    ids: Names of the N clips; None calls them by their row.
    what: Name of the scores in the message.

  Raises:
    ValueError: If there are any, naming up to five of the clips.
  """
  several = scores if isinstance(scores, Mapping) else {"": scores}
  for task, values in several.items():
    values = np.asarray(values)
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    rows = np.flatnonzero(~finite)
    if not rows.size:
      continue
    names = ", ".join(
      f"row {row}" if ids is None else str(ids[row]) for row in rows[:_NAMED]
    )
    more = f" and {rows.size - _NAMED} more" if rows.size > _NAMED else ""
    raise ValueError(
      f"the {task + ' ' if task else ''}{what} of {rows.size} of {len(values)} "
      f"clips are NaN or infinite: {names}{more}."
    )
