"""Traffic of compiled steps: what devices wait for, and nothing in vain."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from tests.support.sharded_step import (
  CLIPS,
  batch_shapes,
  make_layout,
  make_mesh,
  make_state,
  make_step,
)

ROOT = pathlib.Path(__file__).parents[3]
RESHARDED = "nvoluntary full rematerialization"  # In a warning of XLA.


@pytest.fixture
def _compiled_anew():
  """Programs of the cache are not compiled, and nothing warns of them."""
  jax.config.update("jax_enable_compilation_cache", False)
  jax.clear_caches()
  yield
  jax.config.update("jax_enable_compilation_cache", True)


@pytest.mark.usefixtures("_compiled_anew")
def test_the_compiler_warns_where_it_gathers_in_vain(capfd):
  """The next test can fail."""
  mesh = make_mesh(data=2, fsdp=4)
  rows, columns = (
    NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("fsdp",), (None, "data"))
  )

  def turn(x):
    x = jnp.sin(jax.lax.with_sharding_constraint(x, rows))
    return jax.lax.with_sharding_constraint(x, columns)

  jax.jit(turn).lower(jax.ShapeDtypeStruct((8, 8), jnp.float32)).compile()
  assert RESHARDED in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit", "resnet"])
@pytest.mark.parametrize(
  "axes",
  [
    {"data": 2, "fsdp": 4},
    {"fsdp": 8},
    {"data": 2, "fsdp": 2, "tensor": 2},
  ],
  ids=lambda axes: "-".join(f"{axis}{size}" for axis, size in axes.items()),
)
@pytest.mark.usefixtures("_compiled_anew")
def test_steps_gather_nothing_in_vain(name, axes, capfd):
  if name == "resnet" and "tensor" in axes:
    pytest.skip("nothing of a ResNet is split over tensor.")
  mesh, (model, clip) = make_mesh(**axes), CLIPS[name]
  state = make_state(name, mesh)
  step = make_step(model, mesh, make_layout(name, state, mesh), clip[2])
  capfd.readouterr()
  step.lower(state, batch_shapes(clip, mesh)).compile()
  assert RESHARDED not in capfd.readouterr().err


def _flags_of_the_page() -> str:
  """Returns the value of LIBTPU_INIT_ARGS in docs/scaling.md."""
  page = (ROOT / "docs" / "scaling.md").read_text()
  _, _, rest = page.partition('export LIBTPU_INIT_ARGS="')
  return " ".join(rest.partition('"')[0].replace("\\\n", " ").split())


def test_the_page_has_the_flags_that_are_compiled():
  pytest.importorskip("torch")
  from benchmarks import collectives

  assert _flags_of_the_page() == " ".join(collectives.FLAGS)


@pytest.mark.slow  # Compiles four steps for a TPU.
@pytest.mark.skipif(
  importlib.util.find_spec("libtpu") is None,
  reason="libtpu is not installed: pip install '.[tpu]'",
)
def test_gradients_are_summed_while_a_tpu_computes(tmp_path):
  """The flags of the page hide the sums, and XLA's own do not."""
  pytest.importorskip("torch")
  file = tmp_path / "rows.json"
  words = ["vit_b16", "--depth", "1", "--meshes", "8,1,1", "2,4,1"]
  environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
  subprocess.run(
    [sys.executable, "-m", "benchmarks.collectives", *words, "--json", str(file)],
    cwd=ROOT,
    env=environment,
    check=True,
  )
  rows = json.loads(file.read_text())["rows"]
  assert len(rows) == 4
  for row in rows:
    assert row["resharded"] == 0
    sums = [c for c in row["collectives"] if c["kind"] != "all-gather"]
    waiting = sum(collective["waiting"] for collective in sums)
    if row["flags"] == "ours":  # There are 26 MB of gradients.
      assert waiting < 4e6
    else:
      assert waiting > 15e6
