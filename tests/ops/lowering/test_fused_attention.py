"""Kernels of attention on each platform, read from lowered programs."""

import functools
import types

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from temporal_jax import ops
from temporal_jax.ops.lowering import cudnn_attention
from temporal_jax.ops.lowering.fused_attention import differentiable_twice
from temporal_jax.training.parallel.mesh import AXES, within_mesh

TPU, CUDNN = "tpu_custom_call", "__cudnn$fmha"
SHAPE = (4, 24, 4, 64)


def _arrays(shape=SHAPE, dtype=jnp.bfloat16, sharding=None):
  device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  return [jax.ShapeDtypeStruct(shape, dtype, sharding=sharding or device)] * 3


def _count(function, arrays, platform, kernel):
  traced = jax.jit(function).trace(*arrays)
  return traced.lower(lowering_platforms=(platform,)).as_text().count(kernel)


def _loss(q, k, v):
  return jnp.sum(jnp.square(ops.attention(q, k, v).astype(jnp.float32)))


_gradients = jax.grad(_loss, (0, 1, 2))


def _of_gradients(q, k, v):
  squares = (jnp.square(x.astype(jnp.float32)) for x in _gradients(q, k, v))
  return sum(jnp.sum(x) for x in squares)


@pytest.fixture
def cudnn(monkeypatch):
  """cuDNN is taken to be installed, as where programs for GPUs are made."""
  versions = types.SimpleNamespace(cudnn_get_version=lambda: 91002)
  module = "jax._src.cudnn.fused_attention_stablehlo.cuda_versions"
  monkeypatch.setattr(module, versions)
  jax.clear_caches()  # Programs were made without it.
  yield
  jax.clear_caches()


def test_tpu_takes_the_kernel():
  assert _count(ops.attention, _arrays(), "tpu", TPU) == 1
  assert _count(_gradients, _arrays(), "tpu", TPU) == 2
  assert _count(jax.grad(_of_gradients), _arrays(), "tpu", TPU) > 0
  mapped = jax.vmap(_gradients, in_axes=(1, 1, None))
  q, _, v = _arrays(SHAPE)
  many = jax.ShapeDtypeStruct((4, 3, *SHAPE[1:]), q.dtype, sharding=q.sharding)
  assert _count(mapped, [many, many, v], "tpu", TPU) == 2


@pytest.mark.parametrize(
  ("shape", "dtype"),
  [(SHAPE, jnp.float32), (SHAPE, jnp.float16), ((4, 24, 3, 64), jnp.bfloat16)],
)
def test_tpu_leaves_the_rest_to_xla(shape, dtype):
  assert _count(ops.attention, _arrays(shape, dtype), "tpu", TPU) == 0


def test_a_mask_leaves_it_to_xla(cudnn):
  def masked(q, k, v):
    return ops.attention(q, k, v, mask=jnp.tril(jnp.ones((24, 24), bool)))

  assert _count(masked, _arrays(), "tpu", TPU) == 0
  assert _count(masked, _arrays(), "cuda", CUDNN) == 0


def test_an_environment_variable_leaves_it_to_xla(cudnn, monkeypatch):
  def count(platform, kernel):
    # A function of its own each time, for jax keeps the traces of one.
    return _count(lambda *arrays: ops.attention(*arrays), _arrays(), platform, kernel)

  monkeypatch.setenv("TEMPORAL_JAX_ATTENTION", "xla")
  assert count("tpu", TPU) == 0
  assert count("cuda", CUDNN) == 0
  monkeypatch.setenv("TEMPORAL_JAX_ATTENTION", "")
  assert count("tpu", TPU) == 1
  monkeypatch.setenv("TEMPORAL_JAX_ATTENTION", "flash")
  with pytest.raises(ValueError, match=r"one of \['kernel', 'xla'\], got 'flash'"):
    count("tpu", TPU)


def test_a_scale_may_be_an_array(cudnn):
  def scaled(q, k, v):
    return ops.attention(q, k, v, scale=jnp.sum(q).astype(jnp.float32))

  assert _count(scaled, _arrays(), "tpu", TPU) == 1
  assert _count(scaled, _arrays(), "cuda", CUDNN) == 1


def test_devices_divide_clips_and_heads():
  mesh = Mesh(np.array(jax.devices()[:8]).reshape(2, 2, 2), AXES)
  spec = PartitionSpec(AXES[:2], None, AXES[2])
  arrays = _arrays(sharding=NamedSharding(mesh, spec))
  # The compiler divides XLA's attention, but no kernel.
  assert _count(_gradients, arrays, "tpu", TPU) == 0
  known = within_mesh(_gradients, mesh)
  text = jax.jit(known).trace(*arrays).lower(lowering_platforms=("tpu",)).as_text()
  assert text.count(TPU) == 2
  assert "tensor<1x24x128xbf16>" in text  # A clip of two heads a device.
  inside = jax.shard_map(_gradients, mesh=mesh, in_specs=spec, out_specs=spec)
  assert _count(inside, arrays, "tpu", TPU) == 2


def test_the_mesh_does_not_change_the_result():
  rng = np.random.default_rng(0)
  arrays = [jnp.asarray(rng.standard_normal(SHAPE), jnp.bfloat16) for _ in range(3)]
  mesh = Mesh(np.array(jax.devices()[:2]).reshape(2, 1, 1), AXES)
  got = jax.jit(within_mesh(ops.attention, mesh))(*arrays)
  np.testing.assert_array_equal(got, jax.jit(ops.attention)(*arrays))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
@pytest.mark.parametrize("tokens", [24, 197])
def test_cuda_takes_cudnn(cudnn, dtype, tokens):
  arrays = _arrays((4, tokens, 4, 64), dtype)
  assert _count(ops.attention, arrays, "cuda", f"{CUDNN}Softmax(") == 1
  assert _count(_gradients, arrays, "cuda", f"{CUDNN}SoftmaxBackward(") == 1
  assert _count(jax.grad(_of_gradients), arrays, "cuda", CUDNN) > 0
  assert _count(ops.attention, arrays, "rocm", CUDNN) == 0


def test_tokens_of_no_pair_are_padded_for_gradients_only(cudnn, monkeypatch):
  """cuDNN is replaced by the formula: tokens that are added change nothing."""
  calls = []

  def attend(q, k, v, *, scale, implementation, **lengths):
    calls.append((q.shape[1], k.shape[1], sorted(lengths)))
    count = lengths.get("key_value_seq_lengths", [k.shape[1]])[0]
    scores = scale * jnp.einsum("bnmd,bkmd->bmnk", q, k)
    scores = jnp.where(jnp.arange(k.shape[1]) < count, scores, -jnp.inf)
    return jnp.einsum("bmnk,bkmd->bnmd", jax.nn.softmax(scores), v)

  monkeypatch.setattr(jax.nn, "dot_product_attention", attend)
  rng = np.random.default_rng(0)
  q, k, v = (rng.standard_normal((2, n, 2, 8), np.float32) for n in (5, 7, 7))
  kernel = functools.partial(cudnn_attention.cudnn_attention, scale=0.3)
  plain = functools.partial(attend, scale=0.3, implementation=None)
  result = kernel(q, k, v)
  assert calls == [(5, 7, [])]
  np.testing.assert_allclose(result, plain(q, k, v), rtol=1e-5, atol=1e-6)
  calls.clear()
  got, pull = jax.vjp(kernel, q, k, v)
  want, wanted = jax.vjp(plain, q, k, v)
  assert calls[0] == ((6, 8, ["key_value_seq_lengths", "query_seq_lengths"]))
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
  for one, other in zip(pull(want), wanted(want), strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
  ("shape", "dtype"),
  [
    (SHAPE, jnp.float32),
    ((4, 24, 4, 60), jnp.bfloat16),
    ((4, 24, 4, 136), jnp.bfloat16),
    ((4, 8, 4, 64), jnp.bfloat16),  # Few tokens.
    ((0, 24, 4, 64), jnp.bfloat16),
  ],
)
def test_cuda_leaves_the_rest_to_xla(cudnn, shape, dtype):
  assert _count(ops.attention, _arrays(shape, dtype), "cuda", CUDNN) == 0


def test_sizes_that_are_not_known_do_not_fit(cudnn):
  (size,) = jax.export.symbolic_shape("b")
  x = jax.ShapeDtypeStruct((size, *SHAPE[1:]), jnp.bfloat16)
  assert not cudnn_attention.fits_cudnn(x, x, x)


def test_without_cudnn_cuda_uses_xla():
  assert _count(ops.attention, _arrays(), "cuda", CUDNN) == 0


@pytest.mark.parametrize(("capability", "number"), [("7.5", 0), ("8.0", 1)])
def test_old_gpus_use_xla(cudnn, monkeypatch, capability, number):
  gpu = types.SimpleNamespace(compute_capability=capability)
  monkeypatch.setattr(cudnn_attention.jax, "local_devices", lambda backend: [gpu])
  assert _count(ops.attention, _arrays(), "cuda", f"{CUDNN}Softmax(") == number


@pytest.mark.parametrize("tokens", [24, 25])
def test_cudnn_runs_under_shard_map(cudnn, tokens):
  mesh = Mesh(np.array(jax.devices()[:2]), ("data",))
  spec = PartitionSpec("data")
  arrays = _arrays((4, tokens, 4, 64), sharding=NamedSharding(mesh, spec))
  inside = jax.shard_map(_gradients, mesh=mesh, in_specs=spec, out_specs=spec)
  assert _count(inside, arrays, "cuda", CUDNN) > 0


def test_programs_for_several_platforms_leave_out_cudnn(cudnn):
  _count(ops.attention, _arrays(), "cuda", CUDNN)  # Not traced for the first time.
  export = jax.export.export(
    jax.jit(lambda *x: ops.attention(*x)), platforms=("cpu", "cuda", "tpu")
  )
  with cudnn_attention.without_cudnn():
    text = export(*_arrays()).mlir_module()
  assert TPU in text
  assert CUDNN not in text


def test_second_derivatives_are_those_of_the_plain_attention():
  def plain(q, k, v):
    scores = jnp.einsum("bnmd,bkmd->bmnk", q, k)
    return jnp.einsum("bmnk,bkmd->bnmd", jax.nn.softmax(scores), v)

  @jax.custom_vjp
  def fused(q, k, v):
    return plain(q, k, v)

  def pull(saved, gradient):
    # Like a kernel, a callback has no derivative.
    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in saved]
    return jax.pure_callback(
      lambda *x: [np.asarray(y) for y in jax.vjp(plain, *x[:3])[1](x[3])],
      shapes,
      *saved,
      gradient,
    )

  fused.defvjp(lambda *x: (fused(*x), x), lambda s, g: tuple(pull(s, g)))
  rng = np.random.default_rng(0)
  arrays = [jnp.asarray(rng.standard_normal((2, 3, 2, 4)), jnp.float32)] * 3

  def second(attend):
    def loss(*x):
      return jnp.sum(jnp.sin(attend(*x)))

    return jax.grad(lambda *x: jnp.sum(jax.grad(loss)(*x) ** 2), (0, 1, 2))(*arrays)

  for ours, theirs in zip(
    second(differentiable_twice(fused, plain)), second(plain), strict=True
  ):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
