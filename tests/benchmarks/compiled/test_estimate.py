"""Programs are estimated: bytes, loops, branches, what hides what."""

import pytest

from benchmarks.compiled import hlo
from benchmarks.compiled.chips import TPUS
from benchmarks.compiled.estimate import estimate

CHIP = TPUS["v5e"]
ROW = "f32[1024,1024]{1,0:T(8,128)}"
NBYTES = 4 * 1024 * 1024


def _estimate(text):
  return estimate(hlo.parse(text), CHIP)


def _main(*lines, others=""):
  body = "\n".join(f"  {line}" for line in lines)
  return f"{others}\nENTRY %m (x: {ROW}) -> {ROW} {{\n{body}\n}}\n"


X = f"%x = {ROW} parameter(0)"


def test_a_sum_takes_its_bytes():
  found = _estimate(_main(X, f"ROOT %a = {ROW} add(%x, %x)"))
  # An operand is read as often as it is an operand.
  assert found.traffic.main == 3 * NBYTES
  assert found.seconds == pytest.approx(3 * NBYTES / CHIP.bandwidth)
  (cost,) = found.costs
  assert (cost.name, cost.kind, cost.times) == ("a", "elementwise", 1)
  assert found.shares() == {"elementwise": 1.0}


def test_padding_counts():
  narrow = "bf16[1024,3]{1,0:T(8,128)(2,1)}"
  found = _estimate(
    f"ENTRY %m (x: {narrow}) -> {narrow} {{\n"
    f"  %x = {narrow} parameter(0)\n  ROOT %c = {narrow} copy(%x)\n}}\n"
  )
  assert found.traffic.plain == 2 * 1024 * 3 * 2
  assert found.traffic.main == 2 * 1024 * 128 * 2
  assert found.costs[0].kind == "copy"


def test_what_is_on_the_chip_is_no_traffic():
  on_chip = "f32[1024,1024]{1,0:T(8,128)S(1)}"
  found = _estimate(
    _main(X, f"%a = {on_chip} negate(%x)", f"ROOT %b = {ROW} negate(%a)")
  )
  assert found.traffic.main == 2 * NBYTES
  assert found.traffic.on_chip == 2 * NBYTES


def test_moves_on_the_chip_are_as_slow_as_in_the_main_memory():
  on_chip = "f32[1024,1024]{0,1:T(8,128)S(1)}"
  lines = [X, f"%a = {on_chip} negate(%x)"]
  found = _estimate(_main(*lines, f"ROOT %b = {on_chip} copy(%a)"))
  seconds = {cost.name: cost.seconds for cost in found.costs}
  assert seconds["b"] == pytest.approx(2 * NBYTES / CHIP.bandwidth)
  found = _estimate(_main(*lines, f"ROOT %b = {on_chip} negate(%a)"))
  seconds = {cost.name: cost.seconds for cost in found.costs}
  assert 0 < seconds["b"] < 0.2 * NBYTES / CHIP.bandwidth


def test_a_loop_counts_as_often_as_it_runs():
  body = f"%b (p: {ROW}) -> {ROW} {{\n  %p = {ROW} parameter(0)\n"
  body += f"  ROOT %n = {ROW} negate(%p)\n}}\n"
  loop = f"ROOT %w = {ROW} while(%x), condition=%c, body=%b"
  known = loop + ', backend_config={"known_trip_count":{"n":"14"}}'
  found = _estimate(_main(X, known, others=body))
  assert found.traffic.main == 14 * 2 * NBYTES
  assert found.costs[0].times == 14
  assert found.unknown_loops == 0
  found = _estimate(_main(X, loop, others=body))
  assert found.traffic.main == 2 * NBYTES
  assert found.unknown_loops == 1


def test_of_branches_the_longest_counts():
  short = f"%s (p: {ROW}) -> {ROW} {{\n  ROOT %p = {ROW} parameter(0)\n}}\n"
  long = f"%l (q: {ROW}) -> {ROW} {{\n  %q = {ROW} parameter(0)\n"
  long += f"  ROOT %n = {ROW} negate(%q)\n}}\n"
  either = f"ROOT %c = {ROW} conditional(%i, %x, %x), branch_computations={{%s, %l}}"
  found = _estimate(_main(X, either, others=short + long))
  assert [cost.name for cost in found.costs] == ["n"]


def test_a_fusion_reads_the_slices_that_it_takes():
  part = "f32[8,1024]{1,0:T(8,128)}"
  fused = f"""%f (p: {ROW}) -> {part} {{
  %p = {ROW} parameter(0)
  %s = {part} slice(%p), slice={{[0:8], [0:1024]}}
  ROOT %n = {part} negate(%s)
}}
"""
  line = f"ROOT %y = {part} fusion(%x), kind=kLoop, calls=%f"
  found = _estimate(_main(X, line, others=fused))
  assert found.traffic.main == 2 * 4 * 8 * 1024


def test_a_fusion_writes_the_part_that_it_replaces():
  part = "f32[8,1024]{1,0:T(8,128)}"
  fused = f"""%f (p: {ROW}, q: {part}) -> {ROW} {{
  %p = {ROW} parameter(0)
  %q = {part} parameter(1)
  %i = s32[] constant(0)
  ROOT %u = {ROW} dynamic-update-slice(%p, %q, %i, %i)
}}
"""
  line = f"ROOT %y = {ROW} fusion(%x, %z), kind=kLoop, calls=%f"
  found = _estimate(_main(X, f"%z = {part} parameter(1)", line, others=fused))
  assert found.traffic.main == 2 * 4 * 8 * 1024


def test_a_copy_in_the_background_takes_no_time_of_its_own():
  on_chip = ROW.replace(")}", ")S(1)}")
  start = f"%s = ({on_chip}, {ROW}, u32[]{{:S(2)}}) copy-start(%x)"
  done = f"%d = {on_chip} copy-done(%s)"
  found = _estimate(_main(X, start, done, f"ROOT %n = {ROW} negate(%d)"))
  copy = next(cost for cost in found.costs if cost.kind == "background copy")
  assert copy.seconds == 0
  assert copy.traffic.main == NBYTES
  # All bytes of the program still have to be moved.
  assert found.seconds == pytest.approx(2 * NBYTES / CHIP.bandwidth)


def test_a_slice_is_copied_in_the_background():
  part = "f32[8,1024]{1,0:T(8,128)S(1)}"
  start = f"%s = (({ROW}), {part}, s32[]{{:S(2)}}) async-start(%x), calls=%c"
  found = _estimate(_main(X, start, f"ROOT %d = {part} async-done(%s)"))
  assert found.traffic.main == 4 * 8 * 1024


def test_a_product_in_a_fusion_takes_the_matrix_units():
  square = "bf16[4096,4096]{1,0:T(8,128)(2,1)}"
  text = f"""%f (p: {square}, q: {square}) -> {square} {{
  %p = {square} parameter(0)
  %q = {square} parameter(1)
  %c = {square} convolution(%p, %q), dim_labels=bf_io->bf
  ROOT %t = {square} tanh(%c)
}}

ENTRY %m (x: {square}, y: {square}) -> {square} {{
  %x = {square} parameter(0)
  %y = {square} parameter(1)
  ROOT %z = {square} fusion(%x, %y), kind=kOutput, calls=%f
}}
"""
  found = _estimate(text)
  (cost,) = found.costs
  assert cost.kind == "product"
  best = 2 * 4096**3 / CHIP.peak
  assert found.traffic.main / CHIP.bandwidth < best
  assert best < found.seconds < 1.2 * best
  assert found.matrix_seconds == found.seconds


def test_many_operations_on_few_bytes_take_the_vector_units():
  lines = [f"%v{i + 1} = {ROW} add(%v{i}, %v{i})" for i in range(500)]
  lines.append(f"ROOT %r = {ROW} negate(%v500)")
  fused = f"%f (v0: {ROW}) -> {ROW} {{\n  %v0 = {ROW} parameter(0)\n"
  fused += "".join(f"  {line}\n" for line in lines) + "}\n"
  call = f"ROOT %y = {ROW} fusion(%x), kind=kLoop, calls=%f"
  found = _estimate(_main(X, call, others=fused))
  assert found.traffic.main == 2 * NBYTES
  assert found.seconds == pytest.approx(501 * 1024 * 1024 / CHIP.vector_rate)


def test_kernels_are_counted_by_their_bytes_and_named():
  call = f'ROOT %k = {ROW} custom-call(%x), custom_call_target="tpu_custom_call"'
  found = _estimate(_main(X, call))
  assert found.custom_calls == {"tpu_custom_call": 1}
  assert found.costs[0].kind == "kernel"
  assert found.traffic.main == 2 * NBYTES
