import numpy as np
import pytest

from temporal_jax.layers.slot_tokens import hide_slots, show_slots


@pytest.mark.parametrize("has_class_token", [True, False])
@pytest.mark.parametrize("num_registers", [0, 2])
def test_hidden_again_is_what_was_shown(has_class_token, num_registers):
  x = np.random.default_rng(0).standard_normal((2, 3, 7, 4), np.float32)
  seen, registers = show_slots(
    x, has_class_token=has_class_token, num_registers=num_registers
  )
  own = x[:, :, : 7 - num_registers]
  first = x[:, :, :1] if has_class_token else own.mean(axis=2, keepdims=True)
  np.testing.assert_allclose(seen[:, :, :1], first, rtol=1e-6)
  np.testing.assert_array_equal(seen[:, :, 1:], own[:, :, int(has_class_token) :])
  np.testing.assert_array_equal(registers, x[:, :, 7 - num_registers :])
  again = hide_slots(seen, registers, has_class_token=has_class_token)
  np.testing.assert_array_equal(again, x)
