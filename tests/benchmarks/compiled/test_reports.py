"""Figures of compiled programs, and the tables of them."""

import pytest

from benchmarks.compiled import report_tables, reports
from benchmarks.compiled.child import Job, Outcome
from benchmarks.compiled.chips import GPUS, TPUS

ARRAY = "f32[1024,1024]{1,0:T(8,128)}"
TEXT = f"""HloModule f

ENTRY %m (x: {ARRAY}) -> {ARRAY} {{
  %x = {ARRAY} parameter(0)
  %n = {ARRAY} negate(%x), \
metadata={{op_name="jit(f)/Net/block1/block1._add/branch/neg"}}
  ROOT %k = {ARRAY} negate(%n)
}}
"""
MEMORY = """Memory Space: default (color=0)
Total bytes: 29360640 (28.00MiB)
Memory Space: vmem (color=1)
Total bytes: 16777216 (16.00MiB)
"""
ROW = {"name": "one", "chip": "v5e", "mode": "forward"}


def _outcome(text=TEXT, error="", **facts):
  facts = {"multiply_adds": 10**9, "least_bytes": 2 * 4 * 1024**2, **facts}
  job = Job(ROW, None, "*.txt", {})
  return Outcome(job, facts, text, MEMORY, "", error, 1.0)


def test_figures_of_a_program():
  chip = TPUS["v5e"]
  row = reports.report(_outcome(), chip)
  assert {name: row[name] for name in ROW} == ROW
  assert row["padded_bytes"] == row["plain_bytes"] == 4 * 4 * 1024**2
  assert row["ratio"] == pytest.approx(2, rel=1e-3)
  assert row["ideal_us"] == pytest.approx(1e6 * 8 * 1024**2 / chip.bandwidth, rel=1e-3)
  assert row["utilization"] == pytest.approx(
    2e9 / chip.peak / (1e-6 * row["estimate_us"]), rel=1e-3
  )
  assert row["memory_bytes"] == 29360640
  assert [one["name"] for one in row["largest"]] == ["n", "k"]
  assert row["largest"][0]["share"] == 0.5
  assert "operator_share" not in row


def test_the_products_may_make_the_ideal():
  row = reports.report(_outcome(least_bytes=0), TPUS["v5e"])
  assert row["ideal_us"] == pytest.approx(1e6 * 2e9 / TPUS["v5e"].peak, rel=1e-3)


@pytest.mark.parametrize(
  ("paths", "share"),
  [
    (["block1/branch"], 0.5),
    (["block1"], 0.5),
    (["block11", "branch1", "ranch", "block1/bran"], 0.0),
    ([], 0.0),
  ],
)
def test_the_share_of_an_operator_is_by_its_path(paths, share):
  row = reports.report(_outcome(operator_paths=paths), TPUS["v5e"])
  assert row["operator_share"] == share


@pytest.mark.parametrize(
  ("outcome", "words"),
  [
    (_outcome(error="no such thing"), "no such thing"),
    (_outcome(text="HloModule f"), "cannot be read: the text has no ENTRY"),
  ],
)
def test_failures_keep_their_row(outcome, words):
  row = reports.report(outcome, TPUS["v5e"])
  assert row.keys() == {*ROW, "error"}
  assert words in row["error"]


@pytest.mark.parametrize("platform", report_tables.OPERATORS)
def test_rows_have_cells(platform):
  row = reports.report(_outcome(), GPUS["h200"])
  columns = report_tables.OPERATORS[platform]
  cells = {title: cell(row) for title, cell in columns.items()}
  assert cells["operator"] == "one"
  assert cells["largest"] == "elementwise 50%, elementwise 50%"
  if platform == "cuda":
    assert (cells["kernels"], cells["library"]) == ("2", "0")
  network = {**row, "batch": 8, "operator_share": 0.25}
  assert report_tables.NETWORKS["operator"](network) == "25%"


def test_runs_of_libraries_are_counted():
  calls = {"__cudnn$convForward": 3, "__cublas$gemm": 2, "tpu_custom_call": 5}
  assert report_tables.library_runs({"custom_calls": calls}) == 5
