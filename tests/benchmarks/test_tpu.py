"""Estimates for TPUs: what is compiled, and the program."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import jax.numpy as jnp
import pytest

pytest.importorskip("torch")

from benchmarks import gpu, tpu
from benchmarks.cases.modules import MODULES
from benchmarks.cases.operators import OPERATORS
from benchmarks.compiled import operators
from benchmarks.compiled.target import GPU, TPU

ROOT = pathlib.Path(__file__).parents[2]


def gpu_main(words):
  gpu.main(["--compile-only", *words])


CASES = {case.name: case for case in (*OPERATORS, *MODULES)}


def test_weights_are_float32_and_features_bfloat16():
  case = CASES["adaptive convolution in, TAda2D 56"]
  program = operators.program(case, operators.FORWARD, batch=8)
  features, kernel, calibration = program.shapes
  assert features.shape == (8, 8, 56, 56, 64)
  assert features.dtype == calibration.dtype == jnp.bfloat16
  assert kernel.shape == (3, 3, 64, 64)
  assert kernel.dtype == jnp.float32
  out = 8 * 8 * 56 * 56 * 64
  assert program.least_bytes == 2 * (2 * out + 8 * 8 * 64) + 4 * 9 * 64 * 64
  assert program.multiply_adds == 9 * 64 * out


@pytest.mark.parametrize(
  ("name", "times"),
  [("adaptive convolution in, TAda2D 56", 3), ("patch embedding, ViT-B/16", 2)],
)
def test_gradients_cost_more_products_and_twice_the_bytes(name, times):
  """Three times the products, or twice without the gradient of pixels."""
  case = CASES[name]
  forward = operators.program(case, operators.FORWARD, batch=2)
  both = operators.program(case, operators.GRADIENTS, batch=2)
  assert both.multiply_adds == times * forward.multiply_adds
  assert both.least_bytes == 2 * forward.least_bytes
  assert both.shapes[1:] == forward.shapes


def test_the_ideal_does_not_depend_on_how_ours_computes():
  case = CASES["correlation 14x14, ATM ViT-B/16"]
  assert operators.multiply_adds(case, 8) == 8 * 8 * 14 * 14 * 5 * 81 * 64
  other = case._replace(ours=None)
  assert operators.multiply_adds(other, 8) == operators.multiply_adds(case, 8)


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_modules_compute_in_the_dtype_of_the_features(name):
  # The first shape is the output's, of its gradient.
  program = operators.program(CASES[name], operators.GRADIENTS, batch=1)
  assert program.shapes[0].dtype == jnp.bfloat16
  assert program.shapes[1].dtype == jnp.bfloat16
  assert {shape.dtype for shape in program.shapes[2:]} == {jnp.dtype("float32")}


@pytest.mark.parametrize(
  ("words", "error"),
  [
    (["--only", "telepathy"], "no case has 'telepathy' in its name"),
    (["--networks", "telepathy"], "no network of the catalog matches 'telepathy'"),
    (["--chips", "v3"], "invalid choice: 'v3'"),
  ],
)
@pytest.mark.parametrize("main", [tpu.main, gpu_main])
def test_what_does_not_exist_is_refused(main, words, error, capsys):
  with pytest.raises(SystemExit):
    main(words)
  assert error in capsys.readouterr().err


@pytest.mark.parametrize(
  ("main", "words"),
  [
    (tpu.main, "libtpu: run `pip install '.[tpu]'"),
    (gpu_main, "nvidia.cudnn: run `pip install 'jax[cuda12-local]'"),
  ],
)
def test_what_is_not_installed_is_named(main, words, monkeypatch, capsys):
  monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
  with pytest.raises(SystemExit):
    main([])
  assert words in capsys.readouterr().err


def test_a_gpu_is_only_compiled_for(capsys):
  with pytest.raises(SystemExit):
    gpu.main([])
  assert "--compile-only" in capsys.readouterr().err


def _installed(target):
  try:
    target.check_installed()
  except ImportError:
    return False
  return True


def _run(file, *words):
  # Processes are forked, of which Python warns if threads run already.
  done = subprocess.run(
    [sys.executable, "-W", "error::RuntimeWarning", *words, "--json", str(file)],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=600,
  )
  assert done.returncode == 0, done.stdout + done.stderr
  return json.loads(file.read_text())


@pytest.mark.slow
@pytest.mark.skipif(
  not _installed(TPU), reason="libtpu is not installed: pip install '.[tpu]'"
)
def test_estimates_a_case_for_a_tpu(tmp_path):
  report = _run(
    tmp_path / "estimates.json",
    *("-m", "benchmarks.tpu", "--chips", "v5e", "--only", "average pooling"),
  )
  assert set(report["machine"]) == {"processor", "jax", "libtpu"}
  assert report["networks"] == []
  forward, both = report["operators"]
  assert (forward["mode"], both["mode"]) == ("forward", "gradients")
  for row in (forward, both):
    # 28 rows of 128 channels: the sides of a map fill tiles of 8 to 7/8.
    assert row["least_bytes"] <= row["padded_bytes"] <= 2 * row["least_bytes"]
    assert 1 <= row["ratio"] < 3
    assert row["largest"][0]["kind"] in ("elementwise", "copy")


@pytest.mark.slow
@pytest.mark.skipif(
  not _installed(GPU), reason=f"the CUDA plugin is not installed: {GPU.install}"
)
def test_estimates_a_case_for_a_gpu(tmp_path):
  report = _run(
    tmp_path / "estimates.json",
    *("-m", "benchmarks.gpu", "--compile-only", "--chips", "h200"),
    *("--only", "adaptive convolution out", "--modes", "forward"),
  )
  (row,) = report["operators"]
  assert row["padded_bytes"] == row["plain_bytes"]
  assert 1 <= row["ratio"] < 4
  assert sum(row["custom_calls"].values()) == 1  # A convolution of cuDNN.
