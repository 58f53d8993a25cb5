"""The plain programs: their products, and what is compared."""

import jax
import pytest

from benchmarks.compiled import calibration
from benchmarks.compiled.chips import TPUS
from temporal_jax.models.inspect import count

PROGRAMS = {plain.name: plain for plain in calibration.PROGRAMS}


@pytest.mark.parametrize("name", [name for name in PROGRAMS if "product" in name])
def test_multiply_adds_are_those_of_the_program(name):
  plain = PROGRAMS[name]
  assert plain.multiply_adds == count.multiply_adds(plain.function, *plain.inputs())


@pytest.mark.parametrize("name", [name for name in PROGRAMS if "convolution" in name])
def test_zeros_at_the_border_are_no_multiply_adds(name):
  plain = PROGRAMS[name]
  x, kernel = plain.shapes
  size, taps = x[1], kernel[0]
  along = sum(
    0 <= place + tap - taps // 2 < size for place in range(size) for tap in range(taps)
  )
  assert plain.multiply_adds == x[0] * along**2 * kernel[2] * kernel[3]


def test_compares_with_the_ideal_and_with_xla():
  plain = PROGRAMS["product 4096 x 4096 x 4096"]
  square = "bf16[4096,4096]{1,0:T(8,128)(2,1)}"
  text = f"""ENTRY %m (x: {square}, y: {square}) -> {square} {{
  %x = {square} parameter(0)
  %y = {square} parameter(1)
  ROOT %z = {square} convolution(%x, %y), dim_labels=bf_io->bf, \
backend_config={{"window_config":{{"estimated_cycles":"1050000"}}}}
}}
"""
  chip = TPUS["v5e"]
  row = calibration.compare(plain, text, chip)
  assert row["ideal_us"] == pytest.approx(1e6 * 2 * 4096**3 / chip.peak)
  assert row["xla_us"] == pytest.approx(700)
  assert 1 < row["estimate_us"] / row["ideal_us"] < 1.2
  cells = calibration.cells({**row, "chip": "v5e"})
  assert len(cells) == len(calibration.COLUMNS)


def test_sums_have_no_estimate_of_xla():
  plain = PROGRAMS["sum of two arrays of 128 MB"]
  array = "bf16[8192,8192]{1,0:T(8,128)(2,1)}"
  text = f"""ENTRY %m (x: {array}) -> {array} {{
  %x = {array} parameter(0)
  ROOT %z = {array} add(%x, %x)
}}
"""
  row = calibration.compare(plain, text, TPUS["v5e"])
  assert row["estimate_us"] == pytest.approx(row["ideal_us"])
  assert calibration.cells({**row, "chip": "v5e"})[-1] == "-"
  assert jax.eval_shape(plain.function, *plain.inputs()).shape == (8192, 8192)
