import io
import re

import pytest
import rich.console

from temporal_jax.training import progress

METRICS = {"loss": 1.2345, "accuracy": 0.5, "test/top1": 0.25}
TIMING = {"clips_per_second": 61.7, "data_wait": 0.034, "seconds_left": 3723.0}


def _show(monkeypatch, terminal, width=120):
  out = io.StringIO()
  console = rich.console.Console
  monkeypatch.setattr(
    progress.rich.console,
    "Console",
    lambda file, quiet: console(
      file=out, force_terminal=terminal, width=width, color_system=None
    ),
  )
  with progress.Progress(100, first_step=10) as line:
    line.advance(19)
    line.show(20, METRICS, TIMING)
    line.say("a word")
  return out.getvalue()


def test_plain_lines_without_a_terminal(monkeypatch):
  assert _show(monkeypatch, False) == (
    "step 20/100  loss 1.234  accuracy 50.0%  test 25.0%  62 clips/s  "
    "data wait 3.4%  1:02:03 left\na word\n"
  )


def test_one_live_line_on_a_terminal(monkeypatch):
  shown = _show(monkeypatch, True)
  assert "step 20/100" in shown
  assert "loss 1.234" in shown
  assert "a word" in shown


def test_80_columns_have_room_for_the_time_left(monkeypatch):
  shown = _show(monkeypatch, True, width=80)
  last = [line for line in shown.splitlines() if "loss 1.234" in line][-1]
  line = last.rpartition("\r")[2]
  assert re.search(r"step 20/100 \S+ left loss 1.234", line)


def _shown(capsys, num_test, tested, accuracies=(0.5, 0.6, 0.9)):
  """Words on steps of 80 clips each."""
  timing = {**TIMING, "seconds_per_step": 80 / TIMING["clips_per_second"]}
  with progress.Progress(100, num_test=num_test) as line:
    for step, accuracy in enumerate(accuracies, start=1):
      line.show(step, {**METRICS, "accuracy": accuracy, "test/top1": tested}, timing)
  return capsys.readouterr().out


def test_overfitting_is_said_once(capsys):
  shown = _shown(capsys, 40, 0.25)
  words = (
    "overfitting: 60% of the training clips are right and 25% of the 40 test clips"
  )
  assert shown.count(words) == shown.count("overfitting") == 1


@pytest.mark.parametrize(
  ("num_test", "tested", "is_said"),
  [(2, 0.5, False), (2, 0.0, True), (3, 2 / 3, False), (6, 0.5, True), (12, 0.6, True)],
)
def test_chance_is_no_overfitting(capsys, num_test, tested, is_said):
  shown = _shown(capsys, num_test, tested, (0.5, 0.98))
  assert ("overfitting" in shown) == is_said
