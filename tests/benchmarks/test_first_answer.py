"""The benchmark of first answers: processes that leave something behind."""

import pytest

pytest.importorskip("torch")

from benchmarks import first_answer

_KEEP = """
import os, pathlib, time
kept = pathlib.Path(os.environ["JAX_COMPILATION_CACHE_DIR"], "program")
if not kept.exists():
  time.sleep(0.3)
  end = time.process_time() + 0.3
  while time.process_time() < end:
    pass
  kept.touch()
"""


def test_the_second_process_has_what_the_first_kept():
  found = first_answer.measure({"one": ["-c", _KEEP], "two": ["-c", _KEEP]}, 2)
  assert found.keys() == {"one", "two"}
  for times in found.values():
    (first, first_used), (second, second_used) = (
      times["first"],
      times["second"],
    )
    assert first > second + 0.4
    assert first_used > second_used + 0.2
