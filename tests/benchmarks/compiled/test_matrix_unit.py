"""Products and convolutions: multiply-adds, sizes, and the time they take."""

import pytest

from benchmarks.compiled import hlo, matrix_unit
from benchmarks.compiled.chips import TPUS


def _read(left, right, result, operation):
  text = f"""ENTRY %m (l: {left}, r: {right}) -> {result} {{
  %l = {left}{{0}} parameter(0)
  %r = {right}{{0}} parameter(1)
  ROOT %p = {result}{{0}} {operation}
}}
"""
  body = hlo.parse(text).computations["m"]
  return matrix_unit.product(body[-1], {line.name: line.arrays for line in body})


def test_a_product():
  found = _read(
    "bf16[512,1024]",
    "bf16[1024,256]",
    "bf16[512,256]",
    "dot(%l, %r), lhs_contracting_dims={1}, rhs_contracting_dims={0}",
  )
  assert found == (512 * 1024 * 256, 1024, 256, 1, None)


def test_a_product_with_a_batch():
  found = _read(
    "bf16[7,512,64]",
    "bf16[7,256,64]",
    "bf16[7,512,256]",
    "dot(%l, %r), lhs_batch_dims={0}, lhs_contracting_dims={2}, "
    "rhs_batch_dims={0}, rhs_contracting_dims={2}",
  )
  assert found == (7 * 512 * 64 * 256, 64, 256, 1, None)


def test_a_product_with_a_batch_written_as_a_convolution():
  # On the axis of the batch, place i of the result reads only tap i.
  found = _read(
    "bf16[6,197,64]",
    "bf16[6,197,64]",
    "bf16[6,197,197]",
    "convolution(%l, %r), window={size=6 stride=5 pad=0_0 lhs_dilate=6}, "
    "dim_labels=0bf_0oi->0bf",
  )
  assert found == (6 * 197 * 197 * 64, 64, 197, 1, None)


@pytest.mark.parametrize(("stride", "size"), [(1, 56), (2, 28)])
def test_zeros_at_the_border_are_no_multiply_adds(stride, size):
  found = _read(
    "bf16[4,56,56,64]",
    "bf16[3,3,64,128]",
    f"bf16[4,{size},{size},128]",
    f"convolution(%l, %r), window={{size=3x3 stride={stride}x{stride} "
    "pad=1_1x1_1}, dim_labels=b01f_01io->b01f",
  )
  along_an_axis = sum(
    0 <= stride * place + tap - 1 < 56 for place in range(size) for tap in range(3)
  )
  assert found.multiply_adds == 4 * along_an_axis**2 * 64 * 128
  assert (found.summed, found.columns) == (64, 128)
  assert found.taps in (7, 8)  # Some of 9 are outside of the map.


def test_the_gradient_of_a_kernel_sums_over_places():
  found = _read(
    "bf16[56,56,8,64]",
    "bf16[56,56,8,32]",
    "bf16[3,3,64,32]",
    "convolution(%l, %r), window={size=56x56 pad=1_1x1_1}, dim_labels=01fb_01io->01bf",
  )
  places = (56 * 3 - 2) ** 2  # Two taps of three lose a place at a border.
  assert found.multiply_adds == 64 * 32 * places * 8
  assert found.summed == 8 * (places // 9)


def test_a_dilated_input_has_zeros_between_its_elements():
  found = _read(
    "bf16[4,28,8]",
    "bf16[2,8,16]",
    "bf16[4,56,16]",
    "convolution(%l, %r), window={size=2 pad=1_1 lhs_dilate=2}, "
    "dim_labels=b0f_0io->b0f",
  )
  assert found.multiply_adds == 4 * 56 * 8 * 16  # One of two taps is a zero.


def test_a_tap_that_is_moved_reads_nothing_at_the_end():
  """As the products of a convolution along time, one tap after the other."""
  found = _read(
    "f32[8,4,64]",
    "f32[64,16,1]",
    "f32[8,4,16]",
    "convolution(%l, %r), window={size=1 pad=1_-1}, dim_labels=b0f_io0->b0f",
  )
  assert found.multiply_adds == 8 * 3 * 64 * 16
  assert (found.summed, found.taps) == (64, 1)
  assert matrix_unit.seconds(found, TPUS["v5e"]) > 0


@pytest.mark.parametrize("chip", TPUS.values(), ids=TPUS)
def test_large_products_take_about_the_peak(chip):
  size = 16 * chip.side
  product = matrix_unit.Product(size**3, size, size)
  best = 2 * size**3 / chip.peak
  assert best < matrix_unit.seconds(product, chip) < 1.2 * best


def test_parts_of_a_unit_idle_with_few_channels():
  chip = TPUS["v5e"]
  full, half, quarter = (
    matrix_unit.seconds(matrix_unit.Product(10**9, summed, columns), chip)
    for summed, columns in ((128, 128), (64, 128), (64, 64))
  )
  assert half == pytest.approx(2 * full)
  assert quarter == pytest.approx(4 * full)


def test_taps_of_few_channels_share_a_unit():
  chip = TPUS["v5e"]
  one, many = (
    matrix_unit.seconds(matrix_unit.Product(10**9, 16, 128, taps), chip)
    for taps in (1, 9)
  )
  full = matrix_unit.seconds(matrix_unit.Product(10**9, 128, 128), chip)
  assert 2 * full < many < one


def test_patches_are_rows_of_a_product():
  found = _read(
    "bf16[8,224,224,3]",
    "bf16[16,16,3,768]",
    "bf16[8,14,14,768]",
    "convolution(%l, %r), window={size=16x16 stride=16x16}, dim_labels=b01f_01io->b01f",
  )
  assert found == (8 * 14 * 14 * 768 * 768, 768, 768, 1, None)


def test_channels_of_their_own_are_far_from_the_peak():
  chip = TPUS["v5e"]
  found = _read(
    "bf16[64,56,56,96]",
    "bf16[7,7,1,96]",
    "bf16[64,56,56,96]",
    "convolution(%l, %r), window={size=7x7 pad=3_3x3_3}, "
    "dim_labels=b01f_01io->b01f, feature_group_count=96",
  )
  assert found.depthwise
  best = 2 * found.multiply_adds / chip.peak
  assert matrix_unit.seconds(found, chip) > 50 * best


def test_a_convolution_must_name_its_axes():
  with pytest.raises(ValueError, match="p: a convolution without dim_labels"):
    _read("bf16[8]", "bf16[8]", "bf16[8]", "convolution(%l, %r)")
