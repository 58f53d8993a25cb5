"""Growth of cost: the fit, the claims on counts, what is refused."""

import json
import pathlib

import matplotlib.image
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ml_collections")

from benchmarks import growth
from benchmarks.growth_parts import claims, devices, instruments, pictures, subjects
from benchmarks.growth_parts.fit import fit_power


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 1.0, 2.5])
def test_a_power_is_found(exponent):
  sizes = [4, 8, 16, 32, 64]
  fit = fit_power(sizes, [3e-4 * size**exponent for size in sizes])
  assert fit.exponent == pytest.approx(exponent, abs=1e-9)
  assert fit.residual == pytest.approx(0, abs=1e-9)


def test_the_larger_half_is_fitted():
  """A constant part of small sizes does not count; any order will do."""
  fit = fit_power([64, 4, 8, 16, 32], [64**2, 900, 900, 16**2, 32**2])
  assert fit.exponent == pytest.approx(2)
  assert fit_power([1, 2, 4, 8], [0, 3, 6, 12]).exponent == pytest.approx(1)


def test_the_residual_is_what_the_line_misses():
  """Values that are off by 10 % in turns are missed by about a tenth."""
  sizes = 2.0 ** np.arange(12)
  off = np.where(np.arange(12) % 2, 1.1, 1 / 1.1)
  assert fit_power(sizes, sizes * off).residual == pytest.approx(np.log(1.1), rel=0.1)


@pytest.mark.parametrize(
  ("sizes", "values", "error"),
  [
    ([1, 2], [1], "a value of each size, got 1 of 2"),
    ([0, 2], [1, 2], "sizes of a fit must be above 0"),
    ([1, 2], [1, -2], "values of a fit must be 0 or more"),
    ([1, 2], [1, float("nan")], "values of a fit must be 0 or more"),
    ([1, 2], [0, 2], "above 0 of two sizes at least"),
    ([2, 2], [1, 2], "above 0 of two sizes at least"),
  ],
)
def test_no_fit_without_points(sizes, values, error):
  with pytest.raises(ValueError, match=error):
    fit_power(sizes, values)


# Exponents of the papers' complexities: over frames, places and width.
OPERATORS = {
  "spatial attention": (1, 2, 1),
  "joint attention": (2, 2, 1),
  "temporal attention": (2, 1, 1),
  "space-time mixing": (1, 2, 1),
  "TAdaConv": (1, 1, 2),
  "(2+1)D convolution": (1, 1, 2),
}


def _products(name, axis):
  request = instruments.Request([name], [axis])
  (row,) = instruments.INSTRUMENTS["products"](request)
  return row


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("axis", ["frames", "places", "width"])
def test_multiply_adds_grow_as_the_papers_claim(name, axis):
  row = _products(name, axis)
  place = ["frames", "places", "width"].index(axis)
  assert row["exponent"] == pytest.approx(OPERATORS[name][place], abs=0.01)
  (line,) = claims.compare([row])
  assert line.holds("multiply-adds")
  assert line.claimed["multiply-adds"] == pytest.approx(row["exponent"], abs=0.01)


@pytest.mark.parametrize(
  ("name", "exponent"), [("divided attention", 1.147), ("messages of X-CLIP", 2)]
)
def test_sums_of_two_powers_have_the_formulas_slope(name, exponent):
  (line,) = claims.compare([_products(name, "frames")])
  assert line.measured["multiply-adds"] == pytest.approx(exponent, abs=1e-3)
  assert line.holds("multiply-adds")


def test_a_cost_of_another_power_does_not_hold():
  row = _products("spatial attention", "frames")
  values = [
    value * size for value, size in zip(row["values"], row["sizes"], strict=True)
  ]
  grown = {**row, "values": values, **fit_power(row["sizes"], values)._asdict()}
  (line,) = claims.compare([grown])
  assert not line.holds("multiply-adds")
  assert "unexplained: spatial attention, frames, multiply-adds" in claims.summary(
    [line]
  )
  assert claims.cells(line)[3] == "2.00 (1.00) *"


def test_every_reason_is_of_something_measured():
  for name, axis, quantity in claims.REASONS:
    if axis != "devices":
      assert axis in subjects.SUBJECTS[name].axes
    assert quantity in claims.QUANTITIES


def test_every_operator_and_network_has_a_claim():
  named = {n for n, s in subjects.SUBJECTS.items() if s.kind != "case"}
  assert named == {*claims.CLAIMS}


RESULTS = pathlib.Path(growth.__file__).parent / "results"


def test_the_kept_claims_are_those_of_the_kept_rows():
  """The page has them, and each exponent that differs has its reason."""
  kept = json.loads((RESULTS / "growth_claims.json").read_text())["lines"]
  files = [f for f in RESULTS.glob("growth_*.json") if f.stem != "growth_claims"]
  lines = claims.compare(claims.read_rows(files))
  found = json.loads(json.dumps(claims.report(lines)))
  assert sorted(kept, key=str) == sorted(found, key=str), "run benchmarks.growth claims"
  assert "unexplained" not in claims.summary(lines)


def _run(words, tmp_path):
  file = tmp_path / "growth.json"
  growth.main([*words, "--json", str(file)])
  return json.loads(file.read_text())


def test_memory_and_time_are_measured(tmp_path, capsys):
  words = ["--only", "messages of X-CLIP", "--axes", "frames", "--points", "2"]
  report = _run(["memory", *words], tmp_path)
  (row,) = report["rows"]
  assert row["sizes"] == [4, 8]
  # Queries, keys, values, the result, and the gradients of all.
  assert row["values"][0] >= 8 * 4 * 768 * 4
  assert row["values"][0] < row["values"][1]
  assert report["machine"]["platform"] == "cpu"
  words += ["--seconds", "0.01"]
  (row,) = _run(["clock", *words, "--processor-time"], tmp_path)["rows"]
  assert len(row["values"]) == 2
  assert row["turns"] >= 3
  assert "messages of X-CLIP" in capsys.readouterr().out


def test_rows_of_the_file_are_kept(tmp_path):
  words = ["products", "--only", "messages of X-CLIP", "--points", "2", "--axes"]
  before = _run([*words, "frames"], tmp_path)
  before["rows"][0]["values"] = [1, 2]  # It would be measured otherwise.
  failed = {"name": "messages of X-CLIP", "axis": "batch", "error": "no memory"}
  before["rows"].append({**failed, "quantity": "multiply-adds"})
  (tmp_path / "growth.json").write_text(json.dumps(before))
  rows = _run([*words, "frames", "batch", "--resume"], tmp_path)["rows"]
  assert rows[0]["values"] == [1, 2]
  assert [row["axis"] for row in rows] == ["frames", "batch"]


def test_rows_of_another_instrument_are_not_kept(tmp_path, capsys):
  words = ["--only", "messages of X-CLIP", "--axes", "frames", "--points"]
  _run(["products", *words, "2"], tmp_path)
  for other in (["memory", *words, "2"], ["products", *words, "3"]):
    with pytest.raises(SystemExit, match="2"):
      _run([*other, "--resume"], tmp_path)
    assert "has rows with the settings" in capsys.readouterr().err


def test_an_instrument_that_measures_nothing_of_it_is_refused(tmp_path):
  words = ["memory", "--only", "xvit_b16", "--axes", "width"]
  with pytest.raises(SystemExit, match=r"memory measures nothing .*xvit_b16; width"):
    _run(words, tmp_path)


def test_claims_are_read_and_drawn(tmp_path, capsys):
  rows = [
    {"name": name, "axis": "frames", "quantity": quantity, "sizes": [4, 8, 16]}
    | {"values": [1, 2, 4], "exponent": 1.0, "residual": 0.0}
    for quantity, name in (
      ("multiply-adds", "spatial attention"),
      ("TPU", "joint attention"),
      ("multiply-adds", "xvit_b16"),
      ("memory", "blvnet_tam_50"),
    )
  ]
  file = tmp_path / "rows.json"
  file.write_text(json.dumps({"rows": rows}))
  growth.main(["claims", "--read", str(file), "--png", str(tmp_path)])
  out = capsys.readouterr().out
  assert "3 of 4 exponents are within 0.15" in out
  for name in pictures.PANELS:
    picture = matplotlib.image.imread(tmp_path / f"growth_{name}.png")
    assert picture.std() > 0.02
    assert 800 <= picture.shape[1] <= 1000
  with pytest.raises(ValueError, match="no row has the multiply-adds"):
    pictures.draw([], pictures.PANELS["operators"], tmp_path / "x.png")


def test_names_are_spread_and_stay_in_order():
  heights = {"a": 10.0, "b": 11.0, "c": 50.0, "d": 12.0}
  moved = pictures.spread(heights, 10)
  assert moved == {"a": 1.0, "b": 11.0, "d": 21.0, "c": 50.0}
  crowd = {str(i): 5.0 for i in range(6)}
  places = sorted(pictures.spread(crowd, 4).values())
  np.testing.assert_allclose(np.diff(places), 4)
  assert np.mean(places) == pytest.approx(5)


@pytest.mark.parametrize(
  ("words", "error"),
  [
    (["speed"], "unknown instrument 'speed'"),
    (
      ["products", "--only", "joint atention"],
      "'joint atention'; did you mean 'joint attention'",
    ),
    (["products", "--axes", "time"], "unknown axis 'time'"),
    (["products", "--kinds", "layer"], "unknown kind 'layer'"),
    (["tpu", "--chip", "v3"], "unknown chip 'v3'"),
    (["products", "--points", "0"], "must be at least 1, got 0"),
    (["clock", "--seconds", "-1"], "must be a number above 0"),
    (["claims"], "claims need --read FILE"),
    (["claims", "--read", "nowhere.json"], "nowhere.json"),
    (["products", "--png", "."], "--png draws claims only"),
    (["products", "--resume"], "--resume needs an instrument and --json"),
  ],
)
def test_bad_words_are_refused(words, error, capsys):
  with pytest.raises(SystemExit, match="2"):
    growth.main(words)
  assert error in capsys.readouterr().err


def test_a_file_without_rows_is_refused(tmp_path, capsys):
  file = tmp_path / "other.json"
  file.write_text('{"steps": []}')
  with pytest.raises(SystemExit, match="2"):
    growth.main(["claims", "--read", str(file)])
  assert "has no rows of benchmarks.growth" in capsys.readouterr().err


@pytest.mark.slow
def test_work_is_shared_by_simulated_devices():
  rows = [
    {"name": name, "quantity": quantity, "values": values}
    for name, quantity, _, values in devices.measure(2)
  ]
  assert {row["quantity"] for row in rows} == {"operations", "memory", "sent"}
  for row in rows:
    one, two = row["values"]
    if row["quantity"] == "sent":
      assert one == 0 < two
    if row["quantity"] == "operations":
      assert two / one == pytest.approx(0.5, abs=0.05)
