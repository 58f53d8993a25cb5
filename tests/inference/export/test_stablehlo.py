import re
import subprocess
import sys

import numpy as np
import pytest

from temporal_jax import inference
from tests.support import exported_networks

# Python's own modules, jax, what that needs, and flatbuffers.
_ONLY_JAX = """
import sys
class Only:
  def __init__(self, finder):
    self.finder = finder
  def find_spec(self, name, path=None, target=None):
    top = name.split(".")[0]
    own = top in sys.stdlib_module_names or top.startswith("_sysconfigdata")
    if own or top in {"jax", "jaxlib", "jax_plugins", "flatbuffers", "numpy",
                      "scipy", "ml_dtypes", "opt_einsum"}:
      return self.finder.find_spec(name, path, target)
sys.meta_path = [Only(finder) for finder in sys.meta_path]
for name in ("temporal_jax", "flax"):
  try:
    __import__(name)
    raise SystemExit(f"{name} is still there")
  except ModuleNotFoundError:
    pass
"""
_MORE = """
found = [np.asarray(probabilities)]
for number in (1, 3):
  found.append(jax.jit(model.call)(np.load("clips.npy")[:number]))
np.savez("found.npz", *found)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
  """Directory of a network, and of what was exported from it."""
  root = tmp_path_factory.mktemp("export")
  exported_networks.load(root / "model", "aggregation")
  card = inference.export_model(root / "model", root / "out", format="stablehlo")
  return root, card


def test_the_lines_of_its_page_run_where_only_jax_is(exported):
  root, _ = exported
  page = (root / "out" / "README.md").read_text()
  (lines,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
  assert sum(map(bool, lines.splitlines())) == 5
  clips = exported_networks.make_clips(3)
  np.save(root / "out" / "clips.npy", clips)
  subprocess.run(
    [sys.executable, "-c", _ONLY_JAX + lines + _MORE],
    cwd=root / "out",
    check=True,
  )
  classify = inference.Classifier(
    inference.load_model(root / "model", dtype="float32"), batch_size=3
  )
  with np.load(root / "out" / "found.npz") as found:
    blank, one, three = found.values()
  np.testing.assert_allclose(blank, classify(np.zeros_like(clips[:1])), atol=1e-6)
  np.testing.assert_allclose(three, classify(clips), atol=1e-6)
  np.testing.assert_allclose(one, three[:1], atol=1e-6)
  assert np.ptp(three, axis=0).max() > 1e-3  # Clips differ.


def test_runs_on_every_platform_it_says(exported):
  _, card = exported
  assert card["artifact"]["platforms"] == ["cpu", "cuda", "rocm", "tpu"]
  assert card["artifact"]["largest_difference"] <= 1e-6
