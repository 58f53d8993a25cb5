"""Texts of programs are read: shapes, layouts, instructions."""

import math

import pytest

from benchmarks.compiled import hlo

PROGRAM = """HloModule jit_f, is_scheduled=true

%inner (p: bf16[8,128]) -> bf16[8,128] {
  %p = bf16[8,128]{1,0:T(8,128)(2,1)} parameter(0)
  ROOT %negate.1 = bf16[8,128]{1,0:T(8,128)(2,1)} negate(%p)
}

ENTRY %main.2 (x.1: bf16[8,128]) -> (bf16[8,128], f32[]) {
  %x.1 = bf16[8,128]{1,0:T(8,128)(2,1)} parameter(0), metadata={op_name="x"}
  %one = f32[]{:T(128)} constant(1)
  %fusion.3 = bf16[8,128]{1,0:T(8,128)(2,1)S(1)} fusion(%x.1), kind=kLoop, \
calls=%inner, metadata={op_name="jit(f)/neg" stack_frame_id=3}
  ROOT %tuple = (bf16[8,128]{1,0:T(8,128)(2,1)S(1)}, f32[]{:T(128)}) \
tuple(%fusion.3, %one)
}
"""


def test_reads_a_program():
  program = hlo.parse(PROGRAM)
  assert program.entry == "main.2"
  assert set(program.computations) == {"inner", "main.2"}
  x, one, fusion, result = program.computations["main.2"]
  assert (x.opcode, x.text, x.operands) == ("parameter", "0", ())
  assert (one.opcode, one.arrays[0].dims) == ("constant", ())
  assert (fusion.opcode, fusion.operands, fusion.called) == (
    "fusion",
    ("x.1",),
    "inner",
  )
  assert fusion.op_name == "jit(f)/neg"
  assert fusion.arrays[0].memory == 1
  assert not fusion.is_root
  assert result.is_root
  assert result.operands == ("fusion.3", "one")
  assert [array.dtype for array in result.arrays] == ["bf16", "f32"]


def _padded(dims, minor_to_major, tile):
  """Elements with whole tiles, computed axis by axis."""
  order = [dims[axis] for axis in minor_to_major]
  for place, side in enumerate(reversed(tile)):
    order[place] = side * math.ceil(order[place] / side)
  return math.prod(order)


@pytest.mark.parametrize(
  ("dims", "minor_to_major", "tile"),
  [
    ((1024, 2048), (1, 0), (8, 128)),
    ((8, 8, 14, 14, 64), (4, 1, 3, 2, 0), (8, 128)),
    ((8, 8, 14, 14, 5, 9, 9), (3, 1, 6, 5, 4, 2, 0), (8, 128)),
    ((19845,), (0,), (1024,)),
    ((8, 4, 55125), (2, 1, 0), (4, 128)),
  ],
)
@pytest.mark.parametrize(("dtype", "itemsize"), [("bf16", 2), ("f32", 4), ("pred", 1)])
def test_padded_bytes_are_those_of_whole_tiles(
  dims, minor_to_major, tile, dtype, itemsize
):
  packed = "(2,1)" if dtype == "bf16" and len(tile) > 1 else ""
  layout = f"{','.join(map(str, minor_to_major))}:T({','.join(map(str, tile))}){packed}"
  text = f"{dtype}[{','.join(map(str, dims))}]{{{layout}}}"
  (array,) = hlo.arrays(text)
  assert array.nbytes == itemsize * math.prod(dims)
  assert array.padded_bytes == itemsize * _padded(dims, minor_to_major, tile)


def test_a_vector_in_tiles_of_two_axes_has_a_row():
  (array,) = hlo.arrays("f32[100]{0:T(8,128)}")
  assert array.padded_bytes == 4 * 8 * 128


def test_a_tile_of_one_row_is_padded_to_pairs():
  (array,) = hlo.arrays("bf16[3,100]{1,0:T(1,128)(2,1)}")
  assert array.padded_bytes == 3 * 2 * 128 * 2


def test_arrays_without_tiles_are_not_padded():
  array, scalar, four_bits = hlo.arrays("(f32[3,5]{1,0}, s32[]{:S(2)}, s4[3]{0})")
  assert array.padded_bytes == array.nbytes == 60
  assert (scalar.nbytes, scalar.memory) == (4, 2)
  assert four_bits.nbytes == 2


def test_reads_loops_and_branches():
  loop = (
    "  %while.1 = (s32[], f32[8]{0}) while(%t), condition=%c, body=%b.2, "
    'backend_config={"known_trip_count":{"n":"14"}}'
  )
  either = "  %d = f32[8]{0} conditional(%p, %x, %y), branch_computations={%u, %v}"
  text = f"ENTRY %m (x: f32[8]) -> f32[8] {{\n{loop}\n{either}\n}}\n"
  first, second = hlo.parse(text).computations["m"]
  assert (first.body, first.trip_count) == ("b.2", 14)
  assert second.branches == ["u", "v"]
  unknown = text.replace('"known_trip_count":{"n":"14"}', "")
  assert hlo.parse(unknown).computations["m"][0].trip_count is None


@pytest.mark.parametrize(
  ("text", "words"),
  [
    ("HloModule f\n", "no ENTRY"),
    ("ENTRY %m (x: f32[8]) -> f32[8] {\n  nonsense\n}\n", "not an HLO instruction"),
    ("ENTRY %m (x: f32[8]) -> f32[8] {\n  %a = f32[8] add(%x\n}\n", "not closed"),
  ],
)
def test_what_is_no_program_is_refused(text, words):
  with pytest.raises(ValueError, match=words):
    hlo.parse(text)


def test_an_unknown_element_type_is_named():
  (array,) = hlo.arrays("opaque[3]{0}")
  with pytest.raises(ValueError, match="'opaque'"):
    _ = array.nbytes
