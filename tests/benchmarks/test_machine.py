"""Peaks of chips, and the share of them that work reaches."""

import types

import jax
import pytest

pytest.importorskip("torch")

from benchmarks.shared import machine


@pytest.fixture
def _h200(monkeypatch):
  device = types.SimpleNamespace(device_kind="NVIDIA H200")
  monkeypatch.setattr(jax, "devices", lambda: [device])


@pytest.mark.usefixtures("_h200")
def test_the_slower_of_products_and_bytes_counts():
  def share(**work):
    return machine.share_of_peak(1e-3, "bfloat16", **work)

  # 989e12 operations and 4.8e12 bytes per second.
  assert share(multiply_adds=989e9 / 4) == pytest.approx(0.5)
  assert share(multiply_adds=0, moved=1.2e9) == pytest.approx(0.25)
  assert share(multiply_adds=989e9 / 4, moved=1.2e9) == pytest.approx(0.5)


@pytest.mark.usefixtures("_h200")
def test_only_bfloat16_has_a_peak():
  assert machine.peak("float32") is None
  assert machine.share_of_peak(1.0, "float32", multiply_adds=1) is None


def test_a_device_that_is_unknown_has_no_peak():
  assert machine.peak("bfloat16") is None


def test_rates_are_measured():
  assert machine.matmul_rate("float32") > 1e6
  assert machine.copy_rate() > 1e6
