"""train.py as several processes, which talk over the loopback."""

import functools
import json
import signal
import socket

import jax
import numpy as np

from temporal_jax import training


def _free_port():
  with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    return server.getsockname()[1]


def _two(start, workdir, *flags):
  """Two processes of two devices each."""
  port = _free_port()
  return [
    start(
      workdir,
      *flags,
      devices=2,
      more=(
        f"--coordinator=127.0.0.1:{port}",
        "--num_processes=2",
        f"--process_id={index}",
      ),
    )
    for index in range(2)
  ]


def _rows(workdir):
  lines = (workdir / "metrics.jsonl").read_text().splitlines()
  return [json.loads(line) for line in lines]


def _assert_close(workdir, whole):
  got, want = _rows(workdir), _rows(whole)
  assert [row["step"] for row in got] == [row["step"] for row in want]
  for ours, theirs in zip(got, want, strict=True):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
      np.testing.assert_allclose(ours[name], value, rtol=1e-3, atol=1e-5, err_msg=name)


def test_two_processes_stopped_and_gone_on_as_one(
  start, run, whole, video_folder, tmp_path
):
  """SIGTERM comes to one of two; one process with one device does the rest."""
  flags = (f"data.root={video_folder}", "save_every=100")
  both = _two(start, tmp_path, *flags)
  for line in both[0].stdout:
    if line.startswith("start: "):
      break  # The step is compiled now, then there are twelve.
  both[1].send_signal(signal.SIGTERM)
  ends = [process.communicate() for process in both]
  for process, (_, err) in zip(both, ends, strict=True):
    assert process.returncode == 0, err
  out = ends[0][0]
  assert "SIGTERM: stopped at step" in out, out
  for word in ("start:", "step", "weight decay"):  # One of them speaks.
    assert word not in ends[1][0]
  status, out, err = run(tmp_path, *flags)
  assert status == 0, err
  assert "start: resumed" in out
  _assert_close(tmp_path, whole[0])
  got, want = (training.read_state(path) for path in (tmp_path, whole[0]))
  for name in ("params", "ema", "opt_state"):
    jax.tree.map(
      functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
      got[name],
      want[name],
    )
