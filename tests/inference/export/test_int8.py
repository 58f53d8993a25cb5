"""Exported networks whose kernels are int8."""

import re

import jax
import numpy as np
import pytest
import safetensors.numpy

from temporal_jax import cli, inference
from temporal_jax.saved_networks import bundled
from tests.support import exported_networks


@pytest.fixture(scope="module")
def bundled_files(tmp_path_factory):
  """The bundled network in both formats, with both kinds of weights."""
  root = tmp_path_factory.mktemp("int8")
  for format in ("savable", "stablehlo"):
    for weights in ("float32", "int8"):
      out = root / f"{format}_{weights}"
      words = ["--model", "camera_motion", "--format", format, "--weights", weights]
      if format == "stablehlo":
        words += ["--platforms", "cpu", "--batch-size", "4"]
      assert cli.main(["export", str(out), *words]) == 0
  return root


def test_files_are_a_third(bundled_files):
  for format, name in (("savable", "safetensors"), ("stablehlo", "stablehlo")):
    whole, small = (
      (bundled_files / f"{format}_{weights}" / f"model.{name}").stat().st_size
      for weights in ("float32", "int8")
    )
    assert whole > 3 * small


def test_both_formats_hold_the_same_network(bundled_files):
  clips = np.random.default_rng(0).integers(0, 256, (4, 8, 32, 32, 3), np.uint8)
  whole, small = (
    inference.Classifier(
      inference.load_model(bundled_files / f"savable_{weights}", dtype="float32"),
      batch_size=4,
    )(clips)
    for weights in ("float32", "int8")
  )
  assert 0 < np.abs(whole - small).max() < 0.05
  content = (bundled_files / "stablehlo_int8" / "model.stablehlo").read_bytes()
  program = jax.export.deserialize(content)
  np.testing.assert_allclose(jax.jit(program.call)(clips), small, atol=1e-5)
  # Kernels are multiplied by their scales when it runs, not when it is written.
  assert re.search(r"tensor<3x3x64x64xi8>", program.mlir_module())


def test_kernels_are_within_half_a_step(bundled_files):
  whole, small = (
    jax.tree.leaves_with_path(inference.load_model(folder).variables)
    for folder in (bundled.find("camera_motion"), bundled_files / "savable_int8")
  )
  changed = 0
  for (path, before), (_, after) in zip(whole, small, strict=True):
    before, after = np.asarray(before), np.asarray(after)
    assert after.dtype == np.float32
    if before.ndim < 2 or before.size < 1024:
      np.testing.assert_array_equal(after, before)
      continue
    step = np.abs(before).max(axis=tuple(range(before.ndim - 1))) / 127
    assert (np.abs(after - before) <= 0.5001 * step).all(), path
    changed += 1
  assert changed == 20
  arrays = safetensors.numpy.load_file(
    bundled_files / "savable_int8" / "model.safetensors"
  )
  assert sum(array.dtype == np.int8 for array in arrays.values()) == changed


def test_the_card_says_so(bundled_files):
  page = (bundled_files / "savable_int8" / "README.md").read_text()
  assert "| weights | int8 |" in page
  assert "kernels are rounded to int8" in page


@pytest.mark.parametrize("family", ["tada2d", "vit", "ila"])
def test_families(family, tmp_path):
  exported_networks.load(tmp_path / "model", family)
  card = inference.export_model(
    tmp_path / "model",
    tmp_path / "out",
    format="stablehlo",
    weights="int8",
    platforms=["cpu"],
    batch_size=2,
  )
  assert card["artifact"]["largest_difference"] < 1e-4
