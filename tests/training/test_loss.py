import numpy as np
import pytest
import torch

from temporal_jax.training import loss


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_cross_entropy_matches_torch(smoothing):
  rng = np.random.default_rng(0)
  logits = rng.normal(0, 3, (6, 5)).astype(np.float32)
  label = rng.integers(0, 5, 6).astype(np.int32)
  got = loss.cross_entropy(logits, label, smoothing=smoothing)
  want = torch.nn.functional.cross_entropy(
    torch.tensor(logits),
    torch.tensor(label, dtype=torch.int64),
    label_smoothing=smoothing,
    reduction="none",
  )
  np.testing.assert_allclose(got, want, rtol=1e-5)


def test_weighted_mean_leaves_out_weight_zero():
  values = np.array([1.0, 2.0, 50.0], np.float32)
  got = loss.weighted_mean(values, np.array([1, 1, 0], np.float32))
  np.testing.assert_allclose(got, 1.5)
  none = loss.weighted_mean(values, np.zeros(3, np.float32))
  np.testing.assert_allclose(none, 0.0)
