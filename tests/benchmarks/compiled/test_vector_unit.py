"""Operations of the vector units are counted."""

import pytest

from benchmarks.compiled import hlo, vector_unit

ARRAY = "f32[16,256]{1,0:T(8,128)}"
SIZE = 16 * 256


def _count(line, *others):
  body = "\n".join(f"  {one}" for one in (f"%x = {ARRAY} parameter(0)", *others, line))
  program = hlo.parse(f"ENTRY %m (x: {ARRAY}) -> {ARRAY} {{\n{body}\n}}\n")
  return vector_unit.operations(program, program.computations["m"][-1])


@pytest.mark.parametrize(
  ("operation", "each"),
  [("add(%x, %x)", 1), ("exponential(%x)", 4), ("bitcast(%x)", 0), ("convert(%x)", 0)],
)
def test_an_operation_counts_for_each_element(operation, each):
  assert _count(f"ROOT %y = {ARRAY} {operation}") == each * SIZE


def test_padding_is_computed_as_well():
  narrow = "f32[16,3]{1,0:T(8,128)}"
  assert _count(f"ROOT %y = {narrow} add(%x, %x)") == 16 * 128


def test_fusions_count_what_they_fuse():
  text = f"""%g (p: {ARRAY}) -> {ARRAY} {{
  %p = {ARRAY} parameter(0)
  ROOT %n = {ARRAY} negate(%p)
}}

%f (q: {ARRAY}) -> f32[16] {{
  %q = {ARRAY} parameter(0)
  %i = {ARRAY} fusion(%q), kind=kLoop, calls=%g
  %s = {ARRAY} add(%i, %q)
  %zero = f32[]{{:T(128)}} constant(0)
  ROOT %r = f32[16]{{0:T(128)}} reduce(%s, %zero), dimensions={{1}}, to_apply=%sum
}}

ENTRY %m (x: {ARRAY}) -> f32[16] {{
  %x = {ARRAY} parameter(0)
  ROOT %y = f32[16]{{0:T(128)}} fusion(%x), kind=kLoop, calls=%f
}}
"""
  program = hlo.parse(text)
  line = program.computations["m"][-1]
  assert vector_unit.operations(program, line) == 3 * SIZE
