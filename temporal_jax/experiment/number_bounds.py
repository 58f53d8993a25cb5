"""Bounds of the numbers of a config."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import ml_collections

from temporal_jax import evaluation, models
from temporal_jax.experiment.network import num_channels
from temporal_jax.lookup import did_you_mean


class Bounds(NamedTuple):
  """An interval of numbers.

  Attributes:
    low: The smallest.
    high: The largest.
    without: "low" or "high" if that bound itself is left out, else "".
  """

  low: float
  high: float
  without: str = ""

  def holds(self, number: float) -> bool:
    """Whether a number is in it; NaN is in none."""
    above = self.low < number if self.without == "low" else self.low <= number
    below = number < self.high if self.without == "high" else number <= self.high
    return above and below

  def __str__(self) -> str:
    left, right = "(" if self.without == "low" else "[", "]"
    if self.without == "high":
      right = ")"
    return f"{left}{self.low:g}, {self.high:.10g}{right}"


# Far above numbers that anyone trains with, and far below impossible ones.
_STEPS = 2**31 - 1  # The state counts them in int32.
_CLIPS = 2**17
_FRAMES = 4096
_PIXELS = 8192
_EPOCHS = 1e6
_FACTOR = 1e6
_SHARE = Bounds(0, 1)
_BELOW_ONE = Bounds(0, 1, without="high")
_SIZE = Bounds(1, 2**20)  # A network's sizes, for instance its channels.
_CLIP_BYTES = 2**36  # Bytes of the views of one video,
_BATCH_BYTES = 2**40  # and of a batch, over all processes.

# Bounds of each number of every run's config; for a tuple, of its entries.
OF_EVERY_RUN = {
  "seed": Bounds(0, 2**32 - 1),
  "num_steps": Bounds(0, _STEPS),
  "num_epochs": Bounds(0, _EPOCHS),
  "batch_size": Bounds(1, _CLIPS),
  "data.num_threads": Bounds(1, 1024),
  "loss.label_smoothing": _BELOW_ONE,
  "optim.lr": Bounds(0, 3e38),  # Range of float32.
  "optim.lr_batch_size": Bounds(0, _CLIPS),
  "optim.end_lr": Bounds(0, _FACTOR),
  "optim.warmup_lr": Bounds(0, _FACTOR),
  "optim.warmup_steps": Bounds(0, _STEPS),
  "optim.warmup_epochs": Bounds(0, _EPOCHS),
  "optim.milestones": Bounds(0, _EPOCHS),
  "optim.momentum": _BELOW_ONE,
  "optim.betas": _BELOW_ONE,
  "optim.weight_decay": Bounds(0, _FACTOR),
  "optim.layer_decay": Bounds(0, 1, without="low"),
  "optim.accumulate": Bounds(1, _CLIPS),
  "optim.clip_norm": Bounds(0, _FACTOR),
  "optim.ema_decay": _BELOW_ONE,
  "mesh.data": Bounds(-1, 2**20),
  "mesh.fsdp": Bounds(-1, 2**20),
  "mesh.tensor": Bounds(-1, 2**20),
  "log_every": Bounds(1, _STEPS),
  "eval_every": Bounds(0, _STEPS),
  "save_every": Bounds(1, _STEPS),
  "keep_checkpoints": Bounds(1, 10_000),
  "stop_after": Bounds(0, _STEPS),
}
# Bounds for a run that classifies clips.
BOUNDS = {
  **OF_EVERY_RUN,
  "adapters.rank": Bounds(0, 2**14),
  "model.num_frames": Bounds(0, _FRAMES),
  "model.image_size": Bounds(0, _PIXELS),
  "model.disturbance_decay_epoch": Bounds(0, _EPOCHS),
  "data.test_fraction": _BELOW_ONE,
  "data.balance": _SHARE,
  "data.num_classes": _SIZE,
  "data.flow": Bounds(0, 32),
  "data.num_frames": Bounds(1, _FRAMES),
  "data.stride": Bounds(1, 10_000),
  "data.short_side": Bounds(0, _PIXELS),
  "data.image_size": Bounds(1, _PIXELS),
  "data.canvas": Bounds(1, _PIXELS),
  "data.repeats": Bounds(1, 64),
  "data.time_limit": Bounds(0, 86_400, without="low"),
  "eval.crop_size": Bounds(0, _PIXELS),
  "eval.short_side": Bounds(0, _PIXELS),
  "eval.stretch": Bounds(1, _PIXELS),
  "eval.num_clips": Bounds(1, 1000),
  "eval.num_crops": Bounds(1, 10),
  "mix.mixup_alpha": Bounds(0, _FACTOR),
  "mix.cutmix_alpha": Bounds(0, _FACTOR),
  "mix.probability": _SHARE,
  "mix.switch_probability": _SHARE,
  "loss.alignment": Bounds(0, _FACTOR),
  "loss.focal": Bounds(0, 100),
}
# Bounds for networks' arguments that are no sizes; `_SIZE` bounds sizes.
ARGUMENT_BOUNDS = {
  "boundary_ratio": Bounds(0, 10),  # Context, as a part of a proposal's length.
  "drop_path": _BELOW_ONE,
  "dropout": _BELOW_ONE,
  "empty_classes": Bounds(0, 2**20),  # Numbers of classes, from 0.
  "epsilon": Bounds(0, 1, without="low"),
  "last_epsilon": Bounds(0, 1, without="low"),
  "head_dropout": _BELOW_ONE,
  "layer_scale": Bounds(-_FACTOR, _FACTOR),
  "mlp_ratio": Bounds(0, _FACTOR, without="low"),
  "ranges": Bounds(0, _FACTOR),  # In positions of a sequence.
}


def check_bounds(config: ml_collections.ConfigDict) -> None:
  """Refuses numbers that cannot be.

  Raises:
    ValueError: If a number is out of its bounds, naming field, value and
      bounds; if a batch or the views of a video would have too many bytes; or
      if keep_best is a value that no test has.
  """
  check_fields(config, BOUNDS)
  if config.model.overrides:
    entry = models.find_model(config.model.name)
    check_arguments(config.model.overrides, entry.module, entry.kwargs)
  _check_bytes(config)
  # The classes, and the number of each, are known when the videos are.
  tasks = {task: () for task in config.data.tasks}
  known = evaluation.accuracy_names(tasks, multi_label=False)
  if not tasks:
    known += evaluation.accuracy_names((), multi_label=True)
  check_keep_best(config, known)


def check_fields(
  config: ml_collections.ConfigDict, allowed: Mapping[str, Bounds]
) -> None:
  """Raises ValueError if a number is out of its bounds, naming all three.

  Args:
    config: The run's config.
    allowed: Bounds of each number; for a tuple, of its entries.
  """
  for field, bounds in allowed.items():
    value = config
    for name in field.split("."):
      value = value[name]
    if isinstance(value, tuple | list) and any(isinstance(x, str) for x in value):
      raise ValueError(f"{field} must hold numbers in {bounds}, got {value!r}.")
    _check(field, value, bounds)


def check_arguments(
  overrides: Mapping[str, Any], module: type, kwargs: Mapping[str, Any]
) -> None:
  """Refuses arguments of a network that are out of their bounds.

  Sizes are at least 1, unless the network's own value is 0, or the default of
  its class, where 0 is for none.

  Args:
    overrides: model.overrides of a config.
    module: The network's class.
    kwargs: The network's own arguments of it.

  Raises:
    ValueError: If a number is out of its bounds, naming all three.
  """
  for name, value in overrides.items():
    bounds = ARGUMENT_BOUNDS.get(name)
    if bounds is None:
      default = getattr(module, name, None)
      usual = [*_numbers(default), *_numbers(kwargs.get(name, default))]
      bounds = _SIZE._replace(low=min([_SIZE.low, *usual]))
    _check(f"model.overrides.{name}", value, bounds)


# The base config's; runs of several tasks or labels have no such value.
_BEST = "top1"


def check_keep_best(config: ml_collections.ConfigDict, known: Sequence[str]) -> None:
  """Refuses a keep_best that is no value of the tests, or a stop without it.

  Args:
    config: The run's config; without tests while it trains, the base config's
      value is not used, and any run may have it.
    known: Names of the values.

  Raises:
    ValueError: If it is none of them; near ones come first. If stop_after is
      given without tests or without keep_best.
  """
  if config.stop_after and not (config.eval_every and config.keep_best):
    raise ValueError(
      f"stop_after {config.stop_after} needs eval_every above 0 and a keep_best, "
      f"got {config.eval_every} and {config.keep_best!r}."
    )
  name = config.keep_best
  if not name or name in known or (name == _BEST and not config.eval_every):
    return
  hint = did_you_mean(name, known, cutoff=0.5) or "."
  raise ValueError(
    f"keep_best must be a value of the tests, got {name!r}{hint} Known: "
    f"{sorted(set(known))}."
  )


def _check(field: str, value: Any, bounds: Bounds) -> None:
  for number in _numbers(value):
    if not bounds.holds(number):
      raise ValueError(f"{field} must be in {bounds}, got {value}.")


def _check_bytes(config: ml_collections.ConfigDict) -> None:
  """Refuses clips that no memory holds, one byte a channel and pixel."""
  frame = num_channels(config) * config.data.num_frames
  sides = config.data.canvas or 2 * (config.data.image_size,)
  batch = config.batch_size * frame * math.prod(sides)
  if batch > _BATCH_BYTES:
    raise ValueError(
      f"a batch of batch_size {config.batch_size} clips of data.num_frames "
      f"{config.data.num_frames} and {tuple(sides)} pixels has {batch:.3g} "
      f"bytes, at most {_BATCH_BYTES:.3g} can be."
    )
  views = config.eval.num_clips * config.eval.num_crops
  side = config.eval.crop_size or config.data.image_size
  if views * frame * side**2 > _CLIP_BYTES:
    raise ValueError(
      f"the {views} views (eval.num_clips x eval.num_crops) of a test video "
      f"have {views * frame * side**2:.3g} bytes, at most {_CLIP_BYTES:.3g} "
      "can be."
    )


def _numbers(value: Any) -> Iterator[float]:
  """Yields a number, or a tuple's numbers at any depth; for others nothing."""
  if isinstance(value, tuple | list):
    for entry in value:
      yield from _numbers(entry)
  elif isinstance(value, int | float) and not isinstance(value, bool):
    yield value
