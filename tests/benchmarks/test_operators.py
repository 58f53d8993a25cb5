"""The benchmark of operators: rows of small cases, and what is refused."""

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from benchmarks import operators  # noqa: E402
from benchmarks.cases.operator_case import Array, OperatorCase  # noqa: E402
from temporal_jax import ops  # noqa: E402


def _shift(**changes):
  """A shift of two small maps, for both sides by ours."""

  def theirs(x, frames):
    out = torch.zeros_like(x)
    out[:, :-1, ..., 0], out[:, 1:, ..., 1] = x[:, 1:, ..., 0], x[:, :-1, ..., 1]
    out[..., 2:] = x[..., 2:]
    return out

  fields = {
    "name": "shift",
    "arrays": lambda frames: [Array((1, frames, 2, 2, 8), "n t h w c -> n t h w c")],
    "ours": ops.temporal_shift,
    "theirs": theirs,
    "out": "n t h w c -> n t h w c",
    **changes,
  }
  return OperatorCase(**fields)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_operator_is_measured(dtype):
  settings = {"dtype": dtype, "batch": 3, "calls": 2, "doubling": False}
  row = operators.measure(_shift(), 0.0, **settings)
  assert row["torch"] == "eager"
  assert row["forward"]["ours"] > 0
  assert row["forward_backward"]["ratio"] > 0
  size = 3 * 8 * 2 * 2 * 8 * {"float32": 4, "bfloat16": 2}[dtype]
  assert row["needed_bytes"] == 2 * size
  assert row["twice_the_frames"] is None
  assert row["share_of_peak"] == {"forward": None, "forward_backward": None}
  assert operators._cells(row).count("-") == 3


def test_outputs_that_differ_are_refused():
  case = _shift(theirs=lambda x, frames: 2 * x)
  with pytest.raises(ValueError, match=r"shift: the outputs differ by"):
    operators.measure(case, 0.0, doubling=False)


def test_only_the_axis_of_clips_grows_with_the_batch():
  weights = Array((3, 5), "k c -> c k")
  maps = Array((1, 8, 2, 2, 5), "n t h w c -> (n t) c h w")
  case = _shift(arrays=lambda frames: [maps, weights])
  assert case.arrays_of(8, 4) == [maps._replace(shape=(4, 8, 2, 2, 5)), weights]


def test_failures_are_reported_and_the_rest_goes_on(monkeypatch, tmp_path, capsys):
  bad = _shift(name="bad shift", theirs=lambda x, frames: -x)
  monkeypatch.setattr(operators, "OPERATORS", (_shift(), bad))
  monkeypatch.setattr(operators, "MODULES", ())
  file = tmp_path / "report.json"
  words = ["--only", "bad", "shift", "--seconds", "0", "--no-doubling"]
  with pytest.raises(SystemExit, match="1"):
    operators.main([*words, "--json", str(file)])
  first, second = json.loads(file.read_text())["rows"]
  assert first["name"] == "bad shift"  # In the order of the texts, once each.
  assert "differ" in first["error"]
  assert second["name"] == "shift"
  assert "median ratio" in capsys.readouterr().out


def test_texts_that_fit_nothing_are_refused(capsys):
  with pytest.raises(SystemExit, match="2"):
    operators.main(["--only", "shift", "nothing"])
  assert "'nothing'" in capsys.readouterr().err
