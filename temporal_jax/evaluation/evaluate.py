"""Scores every clip of a set once."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import jax
import numpy as np

from temporal_jax.evaluation.distributed import (
  Stack,
  gather_json,
  stack_processes,
)
from temporal_jax.evaluation.predictions import Predictions, from_views

Arrays = Mapping[str, np.ndarray]


def evaluate(
  score: Callable[[jax.Array], jax.Array | Mapping[str, jax.Array]],
  batches: Iterable[Arrays],
  place: Callable[[Arrays], Mapping[str, jax.Array]],
  *,
  tasks: Sequence[str] = (),
  fusion: str = "softmax",
  stack: Stack = stack_processes,
) -> Predictions:
  """Scores all clips of weight above zero; padding and bad videos have zero.

  Several processes each hand in their own rows of a common batch, and all get
  the scores of all clips.

  Args:
    score: uint8 clips (B, T, S, S, 3) -> class probabilities (B, L) or, for V
      views of each video, (B, V, L); or a dict with one entry per task.
    batches: {"clip", "label", "weight", "id"}, all of one size; with several
      processes this one's rows.
    place: Puts a host batch on the devices, as rows of arrays that span all
      processes; a process's rows keep their order.
    tasks: Names of the tasks in the order of the labels; () for a single one.
    fusion: Scores that are averaged over views, see
      `view_fusion.average_views`.
    stack: Gathers arrays over processes.

  Raises:
    ValueError: If no clip is left to score, the tasks scored are others, this
      process read other rows than its devices hold, or see `average_views`.
  """
  parts = []
  for number, batch in enumerate(batches):
    clip = place(batch)["clip"]
    rows = _own_rows(clip)
    if len(rows) != len(batch["id"]):
      raise ValueError(
        f"this process read {len(batch['id'])} clips of a batch, but its "
        f"devices hold {len(rows)}."
      )
    scores = score(clip)
    if sorted(tasks) != sorted(scores if isinstance(scores, Mapping) else ()):
      raise ValueError(
        f"scores of the tasks {tuple(tasks)} are needed, got "
        f"{tuple(scores) if isinstance(scores, Mapping) else 'a single one'}."
      )
    parts.append(
      {
        "place": (number * len(clip) + rows).astype(np.int32),
        "label": batch["label"],
        "weight": batch["weight"],
        "scores": jax.tree.map(lambda array, rows=rows: _here(array)[rows], scores),
        "id": batch["id"],
      }
    )
  if not parts:
    raise ValueError("there is no clip to evaluate.")
  local = jax.tree.map(lambda *values: np.concatenate(values), *parts)
  names = gather_json(local.pop("id").tolist(), stack)
  ids = [name for of_process in names for name in of_process]
  whole = jax.tree.map(lambda values: np.concatenate(stack(values)), local)
  # Rows that several processes have count once.
  _, order = np.unique(whole["place"], return_index=True)
  order = order[whole["weight"][order] > 0]
  if not len(order):
    raise ValueError("there is no clip to evaluate.")
  scores = jax.tree.map(lambda values: values[order], whole["scores"])
  if tasks:
    scores = {task: scores[task] for task in tasks}
  names = tuple(ids[i] for i in order)
  return from_views(names, whole["label"][order], scores, fusion=fusion)


def _own_rows(array: jax.Array) -> np.ndarray:
  """Numbers of the rows that this process has, ascending."""
  rows = np.arange(len(array))
  return np.unique(
    np.concatenate([rows[shard.index[0]] for shard in array.addressable_shards])
  )


def _here(array: jax.Array) -> np.ndarray:
  """The array as far as this process has it; the rest is zero."""
  values = np.zeros(array.shape, array.dtype)
  for shard in array.addressable_shards:
    values[shard.index] = shard.data
  return values
