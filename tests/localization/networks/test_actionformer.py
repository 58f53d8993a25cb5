"""ActionFormer beyond the golden cases: masks, memory, starting values."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.localization import ActionFormer
from temporal_jax.localization.networks.actionformer import sine_positions
from temporal_jax.localization.networks.actionformer_block import ActionFormerBlock

TINY = functools.partial(
  ActionFormer,
  3,
  width=8,
  num_heads=2,
  windows=(3, None),
  ranges=((0, 8), (8, 100)),
  max_length=24,
  embedding_layers=1,
  stem_blocks=1,
  head_layers=2,
)


def _features(lengths, size):
  rng = np.random.default_rng(0)
  mask = np.arange(size) < np.array(lengths)[:, None]
  features = rng.standard_normal((len(lengths), size, 5), np.float32)
  return jnp.asarray(features), jnp.asarray(mask)


def _random(network, *inputs):
  """Variables, no two alike."""
  shapes = jax.eval_shape(network.init, jax.random.key(0), *inputs)
  rng = np.random.default_rng(1)
  return jax.tree.map(lambda x: 0.3 * rng.standard_normal(x.shape, np.float32), shapes)


def test_a_batch_of_films_is_the_films_one_by_one():
  """However long the padding is, and whatever is in it."""
  network = TINY(top_down=True, positions=True, relative_bias=True)
  features, mask = _features((9, 5, 0), 24)
  variables = _random(network, features, mask)
  apply = jax.jit(network.apply)
  together = apply(variables, features, mask)
  points = [np.asarray(level["points"]) for level in together]
  assert [len(x) for x in points] == [24, 12]
  np.testing.assert_array_equal(points[1][:2], [[0, 8, 100, 2], [2, 8, 100, 2]])
  features = jnp.where(mask[:, :, None], features, 1e3)
  for film in range(3):
    alone = apply(variables, features[film][None, :16], mask[film][None, :16])
    for one, other in zip(alone, together, strict=True):
      (held,) = np.asarray(one["mask"])
      for name in ("logits", "offsets"):
        (got,) = np.asarray(one[name])
        wanted = np.asarray(other[name])[film]
        np.testing.assert_allclose(got, wanted[: len(got)], rtol=1e-4, atol=1e-5)
        assert np.isfinite(got).all()
        assert not got[~held].any()


def test_classes_start_as_unlikely_and_branches_as_nearly_nothing():
  network = TINY(empty_classes=(1,))
  variables = jax.jit(network.init)(jax.random.key(0), *_features((8,), 8))
  params = variables["params"]
  probability = jax.nn.sigmoid(params["classification"]["bias"])
  np.testing.assert_allclose(probability, [0.01, 1e-6, 0.01], rtol=1e-4)
  assert not params["regression"]["bias"].any()
  for name in ("attention_scale", "mlp_scale"):
    np.testing.assert_allclose(params["branch1"][name]["scale"], 1e-4)
  bound = (1 / 3) ** 0.5  # That of torch's uniform values with three inputs.
  taps = params["stem1"]["attention"]["query_taps"]
  assert np.abs(taps).max() <= bound
  assert np.abs(taps).max() > 0.7 * bound


def test_branches_are_dropped_in_training_only():
  block = ActionFormerBlock(num_heads=1, drop_path=0.5)
  rng = np.random.default_rng(0)
  x = rng.standard_normal((40, 4, 2), np.float32)
  mask = jnp.ones((40, 4), bool)
  variables = _random(block, x, mask)
  apply = jax.jit(block.apply, static_argnames="train")
  rngs = {"dropout": jax.random.key(0)}
  whole, _ = apply(variables, x, mask)
  dropped, _ = apply(variables, x, mask, train=True, rngs=rngs)
  is_input = np.abs(dropped - x).max(axis=(1, 2)) == 0
  assert 0.1 < is_input.mean() < 0.4  # Both branches are dropped in a quarter.
  assert np.abs(whole - x).max(axis=(1, 2)).min() > 0


def test_computes_in_its_dtype():
  network = TINY(dtype=jnp.bfloat16, top_down=True, positions=True)
  inputs = _features((8,), 8)
  out, variables = jax.eval_shape(network.init_with_output, jax.random.key(0), *inputs)
  assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
  assert out[0]["features"].dtype == jnp.bfloat16
  assert out[0]["logits"].dtype == out[0]["offsets"].dtype == jnp.float32


def test_padded_lengths_are_the_authors():
  network = ActionFormer(20)
  lengths = [network.padded_length(n) for n in (1, 2304, 2305, 5000)]
  assert lengths == [2304, 2304, 2880, 5184]


def test_positions_are_sines_and_cosines():
  table = sine_positions(5, 6)
  for position in range(5):
    for pair in range(3):
      angle = position / 10_000 ** (2 * pair / 6)
      wanted = (np.sin(angle), np.cos(angle))
      np.testing.assert_allclose(table[position, 2 * pair : 2 * pair + 2], wanted)


@pytest.mark.parametrize(
  ("features", "mask", "message"),
  [
    ((1, 8), (1, 8), r"features must be floating point \(B, T, C\)"),
    ((1, 8, 2), (1, 7), r"mask must be bool \(1, 8\), got bool \(1, 7\)"),
    ((1, 7, 2), (1, 7), "the 7 positions must be a multiple of the last level's"),
  ],
)
def test_inputs_are_checked(features, mask, message):
  inputs = (np.zeros(features, np.float32), np.zeros(mask, bool))
  with pytest.raises(ValueError, match=message):
    jax.eval_shape(TINY().init, jax.random.key(0), *inputs)


def test_each_level_needs_a_window():
  with pytest.raises(ValueError, match="a value for each level"):
    TINY(windows=(3, 3, 3))


@pytest.mark.slow
def test_memory_grows_linearly_with_the_positions():
  network = ActionFormer(
    20, width=64, ranges=((0, 4), (4, 8), (8, 10_000)), stem_blocks=1
  )
  sizes = []
  for length in (2304, 4608, 9216):
    inputs = (
      jax.ShapeDtypeStruct((1, length, 64), jnp.float32),
      jax.ShapeDtypeStruct((1, length), bool),
    )
    variables = jax.eval_shape(network.init, jax.random.key(0), *inputs)

    def forward(variables, features, mask):
      out = network.apply(variables, features, mask)
      return sum(x["logits"].sum() + x["offsets"].sum() for x in out)

    row = []
    for function in (forward, jax.grad(forward)):
      compiled = jax.jit(function).lower(variables, *inputs).compile()
      row.append(compiled.memory_analysis().temp_size_in_bytes)
    sizes.append(row)
  for first, *others in zip(*sizes, strict=True):  # Quadratic: 4 and 16 times.
    assert others[0] < 2.5 * first, sizes
    assert others[1] < 5 * first, sizes
  # Scores of all pairs would take this much in each block.
  assert sizes[-1][0] < 9216**2 * 4
