"""optax mixes dtypes (decay ** count), so its callers are tested with that."""

import jax
import pytest


@pytest.fixture(autouse=True)
def standard_promotion():
  """Lifts the strict promotion of the other tests."""
  with jax.numpy_dtype_promotion("standard"):
    yield
