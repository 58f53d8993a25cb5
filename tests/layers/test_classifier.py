import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import layers
from tests.support.examples import layer_example

X = np.random.default_rng(0).standard_normal((2, 3, 8), np.float32)

LAYER_EXAMPLES = {
  "Classifier": layer_example(layers.Classifier, (8,), num_classes=3),
  "Classifier of tasks": layer_example(
    layers.Classifier, (8,), num_classes={"verb": 3, "noun": 2}
  ),
}


def test_one_task_is_a_dense_layer_without_a_level_of_its_own():
  logits, variables = layers.Classifier(5).init_with_output(jax.random.key(0), X)
  params = variables["params"]
  assert set(params) == {"kernel", "bias"}
  np.testing.assert_allclose(logits, X @ params["kernel"], rtol=1e-5, atol=1e-6)


def test_several_tasks_share_the_features():
  tasks = layers.Classifier({"verb": 4, "noun": 6})
  logits, variables = tasks.init_with_output(jax.random.key(0), X)
  assert {k: v.shape for k, v in logits.items()} == {
    "verb": (2, 3, 4),
    "noun": (2, 3, 6),
  }
  noun = layers.Classifier(6)
  alone = noun.apply({"params": variables["params"]["noun"]}, X)
  np.testing.assert_allclose(alone, logits["noun"], rtol=1e-6)


def test_logits_are_float32():
  half = jnp.asarray(X, jnp.bfloat16)
  logits, _ = layers.Classifier(5).init_with_output(jax.random.key(0), half)
  assert logits.dtype == jnp.float32
