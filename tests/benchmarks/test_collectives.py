"""The benchmark of collectives: its rows, without a compiler."""

import importlib.util

import pytest

pytest.importorskip("torch")

from benchmarks import collectives
from benchmarks.compiled.child import Job, Outcome

TEXT = """\
HloModule jit_step

%async_collective_fusion.1 (p: bf16[8]) -> bf16[8] {
  ROOT %r.1 = bf16[1000000]{0} all-reduce(%p), channel_id=7, \
replica_groups=[1,8]<=[8], to_apply=%sum
}

ENTRY %main (x: bf16[8]) -> bf16[8] {
  %f.1 = bf16[8] fusion(%x), kind=kCustom, calls=%async_collective_fusion.1
  ROOT %r.2 = bf16[2000]{0} all-reduce(%x), channel_id=8, \
replica_groups=[1,8]<=[8], to_apply=%sum
}
"""


def _outcome(**changes):
  job = Job(
    row={
      "name": "vit_b16",
      "mesh": {"data": 8, "fsdp": 1, "tensor": 1},
      "flags": "ours",
    },
    lower=None,
    text_file="",
    environment={},
  )
  fields = {
    "job": job,
    "facts": {"devices": 8},
    "text": TEXT,
    "memory_report": "Memory Space: hbm (color=0)\nTotal bytes: 3000000 (3MB)",
    "log": "W [SPMD] Involuntary full rematerialization. The compiler",
    "error": "",
    "seconds": 1.0,
    **changes,
  }
  return Outcome(**fields)


def test_a_step_is_reported():
  row = collectives.report(_outcome())
  assert row["sent_bytes"] == 2 * 2_004_000 * 7 // 8
  assert row["waiting_bytes"] == 2 * 4000 * 7 // 8
  assert row["resharded"] == 1
  cells = collectives._cells(row)
  assert cells == ("vit_b16, 8 x 1 x 1", "ours", "3.0", "3.5", "0.0", "1")


def test_errors_are_kept():
  row = collectives.report(_outcome(error="out of memory"))
  assert row["error"] == "out of memory"


@pytest.mark.parametrize("mesh", ["2,4", "2,4,x", "2,4,1,1"])
def test_meshes_have_three_sizes(mesh, capsys):
  with pytest.raises(SystemExit, match="2"):
    collectives.main(["vit_b16", "--meshes", mesh])
  assert f"data, fsdp, tensor such as 2,4,1, got {mesh!r}" in capsys.readouterr().err


def test_unknown_networks_and_a_lacking_compiler_are_refused(monkeypatch, capsys):
  with pytest.raises(SystemExit, match="2"):
    collectives.main(["vit_b33"])
  assert "'vit_b33'" in capsys.readouterr().err
  monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
  with pytest.raises(SystemExit, match="2"):
    collectives.main(["vit_b16"])
  assert "libtpu" in capsys.readouterr().err
