import functools
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import PartitionSpec

from temporal_jax.training.parallel import layout
from temporal_jax.training.parallel.collectives import Collective, read_collectives
from temporal_jax.training.parallel.mesh import simulate_devices
from temporal_jax.training.parallel.parameter_sharding import shard_state
from tests.support.sharded_step import ADAMW, CLIPS, batch_shapes, make_mesh, make_state


def _compiled(body, mesh, out):
  over = PartitionSpec("fsdp")
  mapped = jax.shard_map(body, mesh=mesh, in_specs=over, out_specs=out, check_vma=False)
  x = jax.ShapeDtypeStruct((64, 8), jnp.float32)
  return jax.jit(mapped).lower(x).compile().as_text()


@pytest.mark.parametrize(
  ("kind", "body", "out", "size", "sent"),
  [
    # The share of a device is (16, 8), 512 bytes.
    ("all-reduce", lambda x: jax.lax.psum(x, "fsdp"), (), 512, 768),
    ("all-gather", lambda x: jax.lax.all_gather(x, "fsdp", tiled=True), (), 2048, 1536),
    (
      "reduce-scatter",
      lambda x: jax.lax.psum_scatter(x, "fsdp", tiled=True),
      ("fsdp",),
      512,
      384,
    ),
    (
      "collective-permute",
      lambda x: jax.lax.ppermute(x, "fsdp", [(0, 1), (1, 2), (2, 3), (3, 0)]),
      ("fsdp",),
      512,
      512,
    ),
    (
      "all-to-all",
      lambda x: jax.lax.all_to_all(x, "fsdp", 1, 0, tiled=True),
      (None, "fsdp"),
      512,
      384,
    ),
  ],
)
def test_bytes_of_each_kind(kind, body, out, size, sent):
  """Among four of eight devices, against the sums by hand."""
  mesh = make_mesh(data=2, fsdp=4)
  (row,) = read_collectives(_compiled(body, mesh, PartitionSpec(*out)), 8)
  assert row.kind == kind
  if kind != "collective-permute":
    assert row.devices == 4
  assert (row.count, row.size, row.sent, row.exact) == (1, size, sent, True)
  assert row.waiting == sent


def test_loops_count_as_often_as_they_run():
  def body(x):
    return jax.lax.fori_loop(0, 5, lambda _, y: jax.lax.pmax(y, "fsdp") + 1, x)

  text = _compiled(body, make_mesh(fsdp=8), PartitionSpec("fsdp"))
  assert read_collectives(text, 8) == (
    Collective("all-reduce", 8, 5, 5 * 256, 5 * 448, 5 * 448, True),
  )


_PROGRAM = """\
HloModule jit_step

%sum (a: f32[], b: f32[]) -> f32[] {
  ROOT %add = f32[] add(%a, %b)
}

%piece.1 (p: bf16[4,6]) -> bf16[8,6] {
  %g.1 = bf16[8,6]{1,0:T(8,128)(2,1)} all-gather(%p), channel_id=7, \
replica_groups=[4,2]<=[8], dimensions={0}
}

%async_collective_fusion.1 (p: bf16[4,6]) -> bf16[8,6] {
  ROOT %g.2 = bf16[8,6]{1,0:T(8,128)(2,1)} all-gather(%p), channel_id=7, \
replica_groups=[4,2]<=[8], dimensions={0}
}

%all-reduce-scatter (x: f32[8,2]) -> f32[2,2] {
  %r = f32[8,2]{1,0} all-reduce(%x), channel_id=9, \
replica_groups={{0,1,2,3},{4,5,6,7}}, to_apply=%sum
}

%body (s: (s32[], f32[4])) -> (s32[], f32[4]) {
  %c = (f32[4]{0}, f32[4]{0}, u32[], u32[]) collective-permute-start(%s), \
channel_id=3, source_target_pairs={{0,1},{1,0}}
  %d = f32[4]{0} collective-permute-done(%c)
}

%cond (s: (s32[], f32[4])) -> pred[] {
  ROOT %lt = pred[] compare(%s, %s), direction=LT
}

ENTRY %main (x: f32[2,3]) -> f32[2,3] {
  %f.1 = bf16[8,6] fusion(%x), kind=kCustom, calls=%piece.1
  %f.2 = bf16[8,6] fusion(%x), kind=kCustom, calls=%async_collective_fusion.1
  %g.3 = bf16[8]{0} all-gather(%x), channel_id=8, replica_groups=[4,2]<=[8]
  %f.3 = f32[2,2] fusion(%x), kind=kCustom, calls=%all-reduce-scatter
  %s = (f32[2,3]{1,0}, f32[16,3]{1,0}) all-gather-start(%x), channel_id=1, \
replica_groups=mesh['a'=4,'b'=2], device_ids=([2,4]T(1,0)) {'a','b'}
  %e = f32[16,3]{1,0} all-gather-done(%s)
  %w.1 = (s32[], f32[4]) while(%i), condition=%cond, body=%body
  ROOT %p = (f32[3]{0}, /*index=1*/pred[5]{0}) all-reduce(%x, %y), \
channel_id=2, replica_groups=mesh['a'=8] {'a':(2)4}, to_apply=%sum
}
"""


def test_pieces_count_once_and_unknown_loops_are_marked():
  assert set(read_collectives(_PROGRAM, 8)) == {
    Collective("all-gather", 2, 2, 96 + 16, 48 + 8, 8, True),
    Collective("all-gather", 8, 1, 192, 168, 0, True),
    Collective("reduce-scatter", 4, 1, 64, 48, 48, True),
    Collective("collective-permute", 2, 1, 16, 16, 0, False),
    Collective("all-reduce", 4, 1, 17, 26, 26, True),
  }


def test_other_text_is_refused():
  with pytest.raises(ValueError, match="not the text of a compiled program"):
    read_collectives("module @jit_step {", 8)


def test_plan_gives_the_bytes_that_lie_on_a_device():
  mesh = make_mesh(data=2, fsdp=4)
  state = make_state("vit", mesh, optimizer=ADAMW)
  shardings = shard_state(state, mesh)
  shapes = layout.with_shardings(state, shardings)

  @functools.partial(jax.jit, out_shardings=shardings)
  def step(state, batch):
    brightness = jnp.mean(batch["clip"].astype(jnp.float32))
    return state.replace(params=jax.tree.map(lambda x: x + brightness, state.params))

  batch = batch_shapes(CLIPS["vit"][1], mesh)
  found = layout.step_layout(step, shapes, batch, mesh)

  def measured(tree):
    return sum(leaf.addressable_shards[0].data.nbytes for leaf in tree)

  parts = {
    "parameters": state.params,
    "optimizer": state.opt_state,
    "averages": state.ema,
  }
  for name, tree in parts.items():
    assert found.held[name] == measured(jax.tree.leaves(tree))
  assert found.held["batch"] == 2 * (2 * 32 * 32 * 3 + 4 + 4)
  assert found.mesh == {"data": 2, "fsdp": 4, "tensor": 1}
  assert found.collectives == (Collective("all-reduce", 8, 1, 4, 7, 7, True),)
  text = layout.describe_layout(found)
  assert "8 x cpu: data 2, fsdp 4, tensor 1" in text
  assert f"{found.held['parameters']:,}" in text
  assert max(len(line) for line in text.splitlines()) <= 80


def test_loops_of_unknown_length_are_said_to_be_so():
  row = Collective("all-reduce", 8, 3, 4000, 7000, 2000, False)
  text = layout.describe_layout(layout.Layout({"data": 8}, "cpu", {}, 0, (row,)))
  for words in (">= 3", ">= 4,000", ">= 7,000", ">= 2,000"):
    assert words in text


@pytest.mark.parametrize("count", [0, 257])
def test_numbers_of_simulated_devices_are_checked(count):
  with pytest.raises(ValueError, match=f"1 to 256, got {count}"):
    simulate_devices(count)


def test_too_late_to_simulate():
  jax.devices()
  with pytest.raises(ValueError, match=r"16 devices .* started with 8"):
    simulate_devices(16)


_SIMULATE = """
import jax
from temporal_jax.training.parallel.mesh import create_mesh, simulate_devices
simulate_devices(256)
mesh = create_mesh({"data": 4, "fsdp": -1, "tensor": 4})
print(jax.default_backend(), mesh.devices.shape)
"""


@pytest.mark.slow  # Imports everything anew.
def test_simulates_what_is_not_there():
  done = subprocess.run(
    [sys.executable, "-c", _SIMULATE],
    env={**os.environ, "PYTHONPATH": "."},
    capture_output=True,
    text=True,
    check=True,
  )
  assert done.stdout.split("\n")[0] == "cpu (4, 16, 4)"


def test_unknown_tpus_are_refused():
  with pytest.raises(ValueError, match="cannot compile for the TPU 'v0:9x9'"):
    layout.absent_tpu("v0:9x9")
