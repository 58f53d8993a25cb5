import io
import re

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


def test_overfitting_is_said_once(capsys):
  with progress.Progress(100) as line:
    for step, accuracy in ((1, 0.5), (2, 0.6), (3, 0.9)):
      line.show(step, {**METRICS, "accuracy": accuracy}, TIMING)
  shown = capsys.readouterr().out
  assert shown.count("overfitting: 60% of the training clips are right and 25%") == 1
  assert shown.count("overfitting") == 1
