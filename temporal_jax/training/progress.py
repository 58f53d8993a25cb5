"""The lines that a run prints while it trains."""

import itertools
import sys
from collections.abc import Mapping

import jax
import rich.console
import rich.progress
import rich.table
import rich.text

from temporal_jax.binomial import chance_of_at_most, wilson_interval

_FORMATS = {"accuracy": ".1%"}
_NOT_SHOWN = ("grad_norm", "learning_rate")
_TEST, _RATE = "test/", "_per_second"
# Training minus test accuracy from which a person is warned, if test clips that
# are right as often as training clips would be that bad with this chance.
_WIDE_GAP, _CHANCE = 0.3, 0.01


class _Values(rich.progress.ProgressColumn):
  """Losses and rates; a narrow terminal cuts these, not the time left."""

  def __init__(self):
    super().__init__(rich.table.Column(no_wrap=False))

  def render(self, task: rich.progress.Task) -> rich.text.Text:
    """Returns the values of the last logging step, on one line."""
    return rich.text.Text(task.fields["values"], no_wrap=True, overflow="ellipsis")


class Progress:
  """A live line on a terminal, plain lines elsewhere.

  Use as a context manager.
  """

  def __init__(self, num_steps: int, first_step: int = 0, *, num_test: int = 0):
    """Prepares the line of a run.

    Args:
      num_steps: Last step of the run.
      first_step: Step from which it goes on.
      num_test: Test clips; of few, a bad result may be chance.
    """
    self._num_steps, self._num_test = num_steps, num_test
    self._shown = first_step
    self._first_step = first_step
    self._warned = False
    quiet = jax.process_index() > 0  # The first of several processes speaks.
    self._console = rich.console.Console(file=sys.stdout, quiet=quiet)
    self._live = self._console.is_terminal and not quiet
    self._bar = rich.progress.Progress(
      rich.progress.TextColumn("step {task.completed:.0f}/{task.total:.0f}"),
      rich.progress.TimeRemainingColumn(),
      rich.progress.TextColumn("left"),
      _Values(),
      console=self._console,
      disable=not self._live,
    )

  def __enter__(self) -> "Progress":
    self._bar.start()
    self._task = self._bar.add_task(
      "", total=self._num_steps, completed=self._first_step, values="starting"
    )
    return self

  def __exit__(self, *exception: object) -> None:
    self._bar.stop()

  def advance(self, step: int) -> None:
    """Moves the bar to `step` steps done."""
    self._bar.update(self._task, completed=step)

  def show(
    self,
    step: int,
    metrics: Mapping[str, float],
    timing: Mapping[str, float],
  ) -> None:
    """Shows the values of a logging step."""
    words = [
      f"{name} {value:{_FORMATS.get(name, '.3f')}}"
      for name, value in metrics.items()
      if name not in _NOT_SHOWN and not name.startswith(_TEST)
    ]
    # A run is judged by the first of them.
    tests = (value for name, value in metrics.items() if name.startswith(_TEST))
    words += [f"test {value:.1%}" for value in itertools.islice(tests, 1)]
    words += [
      f"{rate:{'.0f' if rate >= 10 else '.1f'}} {name.removesuffix(_RATE)}/s"
      for name, rate in timing.items()
      if name.endswith(_RATE)
    ]
    words.append(f"data wait {timing['data_wait']:.1%}")
    values = "  ".join(words)
    self._bar.update(self._task, completed=step, values=values)
    if not self._live:
      left = _clock(timing["seconds_left"])
      self.say(f"step {step}/{self._num_steps}  {values}  {left} left")
    # Clips of a step, by the rates of both.
    clips = timing.get("clips_per_second", 0.0) * timing.get("seconds_per_step", 0.0)
    self._warn_of_overfitting(metrics, clips * (step - self._shown))
    self._shown = step

  def _warn_of_overfitting(self, metrics: Mapping[str, float], clips: float) -> None:
    """Warns once that training and test accuracy part, other than by chance.

    Args:
      metrics: Values of the logging step.
      clips: Training clips since the one before.
    """
    if self._warned or f"{_TEST}top1" not in metrics or not self._num_test:
      return
    trained, tested = metrics["accuracy"], metrics[f"{_TEST}top1"]
    if clips < 1 or trained - tested <= _WIDE_GAP:
      return
    least, _ = wilson_interval(trained, clips)
    right = round(tested * self._num_test)
    if chance_of_at_most(right, self._num_test, least) >= _CHANCE:
      return
    self._warned = True
    self.say(
      f"overfitting: {trained:.0%} of the training clips are right and {tested:.0%} "
      f"of the {self._num_test} test clips. More videos, more augmentation "
      "(config.data.augment) or fewer steps help."
    )

  def say(self, text: str) -> None:
    """Prints a line above the bar."""
    self._console.print(text, highlight=False, soft_wrap=True)


def _clock(seconds: float) -> str:
  """Formats seconds as h:mm:ss."""
  minutes, seconds = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f"{hours}:{minutes:02d}:{seconds:02d}"
