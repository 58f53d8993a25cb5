import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.training.moving_averages import move_averages


@pytest.mark.parametrize("warmup", [True, False])
def test_averages_follow_their_formula(warmup):
  rng = np.random.default_rng(0)

  def tree():
    return {
      "params": {"head": {"kernel": rng.standard_normal((2, 3), np.float32)}},
      "batch_stats": {"norm": {"mean": rng.standard_normal(3, np.float32)}},
    }

  got = want = tree()
  move = jax.jit(move_averages, static_argnames=("decay", "warmup"))
  for step in range(20):
    new = tree()
    got = move(got, new, jnp.int32(step), decay=0.6, warmup=warmup)
    keep = min(0.6, (1 + step) / (10 + step)) if warmup else 0.6
    want = jax.tree.map(lambda a, b, keep=keep: keep * a + (1 - keep) * b, want, new)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-5), got, want)


def test_the_warmup_forgets_the_start():
  averages, variables = {"w": jnp.zeros(1)}, {"w": jnp.ones(1)}
  young = move_averages(averages, variables, 0, decay=0.9996, warmup=True)
  np.testing.assert_allclose(young["w"], 0.9, rtol=1e-6)
  old = move_averages(averages, variables, 10**6, decay=0.9996, warmup=True)
  np.testing.assert_allclose(old["w"], 0.0004, rtol=1e-3)


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_impossible_decay_is_refused(decay):
  with pytest.raises(ValueError, match=r"must be in \[0, 1\), got"):
    move_averages({}, {}, 0, decay=decay, warmup=True)
