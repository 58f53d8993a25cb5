"""Every golden case of the repository, one test a case."""

import json
import os
import pathlib

import pytest

from tests.golden import check, compare
from tests.golden.case import Case
from tests.golden.references import REFERENCES

CASES = sorted(p.parent for p in pathlib.Path(__file__).parent.rglob("case.json"))
# 5 to 21 seconds each; smaller cases of the same classes or of their parts are
# fast.
SLOW = {
  "af_block_local",
  "af_net",
  "af_net_fpn_abspe",
  "atm_block",
  "bmn_head",
  "bmn_net",
  "ila_block_g14",
  "ila_disturb",
  "ila_eval",
  "ila_ssv2_eval",
  "tada2dblock_pool_space",
  "xvit_tiny_96_representation",
}

# The tests compile with less optimisation than users do. Where the input of a
# ReLU is near zero, other roundings switch it; the figures are then held
# against what users run.
AS_USERS_COMPILE = {
  "xla_backend_optimization_level": 3,
  "xla_llvm_disable_expensive_passes": False,
}
if "fusion_emitters" in os.environ["XLA_FLAGS"]:
  AS_USERS_COMPILE["xla_cpu_use_fusion_emitters"] = True

# Two inputs of ReLUs lie within 2e-7 of zero here. Rounding, which differs from
# one processor to the next, decides whether their gradients count.
TIES = {"atm_block": 5e-3}


@pytest.mark.parametrize(
  "path",
  [
    pytest.param(path, marks=[pytest.mark.slow] if path.name in SLOW else [])
    for path in CASES
  ],
  ids=lambda path: path.name,
)
def test_equals_the_authors_code(path):
  row = check.check(path)
  if row.verdict == "FAIL":
    row = check.check(path, AS_USERS_COMPILE)
  if row.verdict == "FAIL" and path.name in TIES:
    case = Case.read(path)
    found = compare.errors(case, REFERENCES[case.source], AS_USERS_COMPILE)
    for name, error in found.items():  # Outputs are held as everywhere.
      at_tie = TIES[path.name] if name.startswith("grad") else 0
      assert error <= max(case.tolerance(name), at_tie), (name, error)
  else:
    assert row.verdict in ("ok", "not carried"), str(row)


def test_a_wrong_figure_fails(tmp_path):
  """The checker can say no."""
  source = next(p for p in CASES if p.name == "tam_r3")
  (tmp_path / "case.json").write_text(
    (source / "case.json").read_text().replace('"salt": ""', '"salt": "other"')
  )
  (tmp_path / "io.npz").write_bytes((source / "io.npz").read_bytes())
  assert check.check(tmp_path).verdict == "FAIL"


def test_bfloat16_is_what_is_computed(tmp_path, capsys):
  file, folder = tmp_path / "rows.json", pathlib.Path(__file__).parent / "cases"
  words = [str(folder), "--only", "tam_r3", "--json", str(file), "--workers", "2"]
  errors = {}
  for dtype in ("float32", "bfloat16"):
    assert check.main([*words, "--dtype", dtype]) == 0
    (row,) = json.loads(file.read_text())["rows"]
    errors[dtype] = row["error"]
  assert errors["float32"] < 1e-5
  assert 1e-4 < errors["bfloat16"] < 0.03
  assert "tam_r3" in capsys.readouterr().out


def test_an_unknown_class_is_unsupported(tmp_path, capsys):
  source = next(p for p in CASES if p.name == "tam_r3")
  text = (source / "case.json").read_text().replace('"TAM"', '"TAM2"')
  (tmp_path / "case.json").write_text(text)
  assert check.main([str(tmp_path)]) == 1
  assert "unsupported" in capsys.readouterr().out


def test_no_cases_is_an_error(tmp_path, capsys):
  assert check.main([str(tmp_path)]) == 1
  assert "no case.json" in capsys.readouterr().out
