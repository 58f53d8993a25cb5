"""Lists of very many videos: what they take in memory."""

import random
import subprocess
import sys

import pytest

_COUNT = 200_000
_OPEN = """
import re, sys
from temporal_jax.data.listing.find_videos import file_sources

def peak(name):
  status = open("/proc/self/status").read()
  return int(re.search(name + r":\\s+(\\d+) kB", status)[1])

before = peak("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # Forgets the peak so far.
sources = file_sources(sys.argv[1], 0.2, say=lambda _: None)
print(len(sources["train"]), peak("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("several", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_row_takes_300_bytes(tmp_path, several):
  rng = random.Random(0)
  names = [f"class name {i:03d}" for i in range(300)]
  rows = ["path,labels,split" if several else "path,label,split"]
  for i in range(_COUNT):
    label = ";".join(rng.sample(names, rng.randint(1, 5) if several else 1))
    rows.append(f"videos/{i % 400:03d}/video_{i:07d}_of_many.mp4,{label},train")
  (tmp_path / "list.csv").write_text("\n".join(rows))
  done = subprocess.run(
    [sys.executable, "-c", _OPEN, str(tmp_path / "list.csv")],
    capture_output=True,
    text=True,
    check=True,
  )
  count, kilobytes = map(int, done.stdout.split())
  assert count == _COUNT
  assert kilobytes * 1024 < 300 * _COUNT + 10e6
