"""Weights of the classes in the loss of a run."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ml_collections
import numpy as np

from temporal_jax import data
from temporal_jax.lookup import did_you_mean
from temporal_jax.validation import check_number

# Weights (L,), by task if there are several; None for none.
ClassWeights = Sequence[float] | Mapping[str, Sequence[float]] | None

BALANCED = "balanced"
_FIELD = "loss.class_weights"
_MOST = 1e6


def class_weights(
  config: ml_collections.ConfigDict,
  videos: data.Videos,
  say: Callable[[str], None],
) -> ClassWeights:
  """Returns the weights w_c of the classes of a run.

  Class c has the share q_c of training clips: n_c / N of its n_c among N
  videos; with data.balance b, (1 - b) n_c / N + b / C of the C classes that
  have videos. "balanced" weighs by g_c = 1 / q_c, numbers by g_c as given, 1
  for classes without one, and w_c = g_c / sum_k q_k g_k: the mean weight of
  clips is 1, and only ratios of numbers count. Without balance, "balanced" is
  N / (C n_c). A class without a training video has weight 1.

  Args:
    config: The run's config.
    videos: The run's videos.
    say: Called with a sentence on the weights.

  Raises:
    ValueError: See `read_weights`, or if a name is no class or task.
  """
  given = read_weights(config.loss.class_weights)
  if not given:
    return None
  names = data.by_task(videos.class_names)
  counts = data.count_classes(videos.sources["train"])
  numbers = {} if given == BALANCED else _by_task(given, names)
  weights, words = {}, []
  for (task, classes), count in zip(names.items(), counts, strict=True):
    share = _shares(count, config.data.balance)
    factors = np.ones(len(classes))
    if given == BALANCED:
      factors = np.where(share > 0, 1 / np.where(share > 0, share, 1), 0)
    for name, number in numbers.get(task, {}).items():
      factors[classes.index(name)] = number
    found = factors / np.sum(share * factors)
    weights[task] = tuple(np.where(count > 0, found, 1.0).tolist())
    low, high = (int(pick(found[count > 0])) for pick in (np.argmin, np.argmax))
    known = np.flatnonzero(count > 0)
    words.append(
      f"{task} {found[known[low]]:.2f} ({classes[known[low]]}) to "
      f"{found[known[high]]:.2f} ({classes[known[high]]})".strip()
    )
  say(f"class weights: {'; '.join(words)}, on average of the clips 1.")
  return weights if isinstance(videos.class_names, Mapping) else weights[""]


def read_weights(text: str) -> Any:
  """Returns "", "balanced", or the JSON object of a config's class weights.

  Raises:
    ValueError: If it is something else, or a number is not in (0, 1e6].
  """
  if text in ("", BALANCED):
    return text
  try:
    given = json.loads(text)
  except (ValueError, RecursionError):
    given = None
  if not isinstance(given, dict) or not given:
    raise ValueError(
      f'{_FIELD} must be "", {BALANCED!r}, or JSON of a number per class, as '
      f"'{{\"waving\": 3}}'; got {text[:200]!r}."
    )
  for name, value in given.items():
    several = value if isinstance(value, dict) else {"": value}
    for inner, number in several.items():
      place = f"{_FIELD} of {'/'.join(filter(None, (name, inner)))}"
      check_number(place, number, 0, _MOST)
      if not number:
        raise ValueError(f"{place} must be above 0, got {number}.")
  return given


def _by_task(
  given: Mapping[str, Any], names: Mapping[str, Sequence[str]]
) -> Mapping[str, Mapping[str, float]]:
  """Returns the numbers of each task, "" for a single one.

  Raises:
    ValueError: If a name is no class, or no task.
  """
  if [*names] != [""]:
    _check_known("tasks", given, [*names])
    flat = [task for task, numbers in given.items() if not isinstance(numbers, dict)]
    if flat:
      raise ValueError(
        f"{_FIELD} of the task {flat[0]!r} must be an object of its classes, as "
        f'\'{{"{flat[0]}": {{"{names[flat[0]][0]}": 3}}}}\'; got {given[flat[0]]!r}.'
      )
  else:
    given = {"": given}
  for task, numbers in given.items():
    _check_known(f"classes {task}".strip(), numbers, names[task])
  return given


def _check_known(what: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
  """Raises ValueError at names that are not known."""
  for name in given:
    if name not in known:
      raise ValueError(
        f"{_FIELD} names {name!r}, which is none of the {len(known)} {what} of the "
        f"videos.{did_you_mean(name, known)}"
      )


def _shares(count: np.ndarray, balance: float) -> np.ndarray:
  """Returns the share (L,) of each class among the clips that are drawn."""
  classes = np.count_nonzero(count)
  return (1 - balance) * count / count.sum() + balance * (count > 0) / classes
