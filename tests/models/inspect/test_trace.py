import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.models.inspect.trace import called_once, trace_calls


class Part(nn.Module):
  @nn.compact
  def __call__(self, x):
    return nn.Dense(5, name="dense")(x), {"more": x}


class Outer(nn.Module):
  @nn.compact
  def __call__(self, x):
    inner = nn.Dense(5)
    nn.share_scope(self, inner)
    return x + inner(x)


class Whole(nn.Module):
  def setup(self):
    self.first, self.second = Part(), Part()
    self.twice, self.outer = nn.Dense(5), Outer()

  def helper(self, x):
    return x

  def __call__(self, x):
    x, _ = self.first(self.helper(x))
    x = self.twice(self.twice(x))
    x, _ = self.second(self.outer(x))
    return {"logits": x}


def test_modules_are_found_as_they_are_called():
  model = Whole()
  # So large that computing anything would end the test.
  x = jax.ShapeDtypeStruct((10**12, 3), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), x)
  for _ in range(2):  # Traced modules are traced again.
    calls = trace_calls(model.apply, variables, x)
    assert [("/".join(c.path), c.kind, c.shape) for c in calls] == [
      ("", "Whole", None),
      ("first", "Part", (10**12, 5)),
      ("first/dense", "Dense", (10**12, 5)),
      ("twice", "Dense", (10**12, 5)),
      ("twice", "Dense", (10**12, 5)),
      ("outer", "Outer", (10**12, 5)),
      ("outer", "Dense", (10**12, 5)),
      ("second", "Part", (10**12, 5)),
      ("second/dense", "Dense", (10**12, 5)),
    ]
  once = [(call.path[-1], call.kind) for call in called_once(calls)[1:]]
  assert once == [
    ("first", "Part"),
    ("dense", "Dense"),
    ("outer", "Outer"),
    ("second", "Part"),
    ("dense", "Dense"),
  ]
