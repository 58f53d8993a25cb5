import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import convert_weights
import temporal_jax
from convert_weights.apply import apply_plan
from convert_weights.plan import plan_conversion
from temporal_jax.training.host_init import run_on_host

TINY = {"width": 8, "stage_sizes": (1,)}


def _variables(name="resnet18", num_classes=5, **overrides):
  """Random variables of a tiny network."""
  model = temporal_jax.create_model(
    name, num_classes=num_classes, **{**TINY, **overrides}
  )
  clip = jax.ShapeDtypeStruct((1, 2, 16, 16, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda x: rng.uniform(0.5, 1.5, x.shape).astype(np.float32), shapes
  )


def _tensors():
  return convert_weights.to_torch(
    "resnet18", _variables(), source="torchvision", **TINY
  )


def _convert(tensors, name="resnet18", **settings):
  return convert_weights.convert(name, tensors, **{**TINY, **settings})


def _flat(variables):
  return trees.flatten_dict(variables, sep="/")


def test_there_and_back_is_the_same_to_the_last_bit():
  tensors = _tensors()
  variables = _convert(tensors)
  jax.tree.map(np.testing.assert_array_equal, variables, _variables())
  again = convert_weights.to_torch("resnet18", variables, source="torchvision", **TINY)
  assert again.keys() == tensors.keys()
  for name, value in again.items():
    np.testing.assert_array_equal(value, tensors[name])
  assert tensors["bn1.num_batches_tracked"].dtype == np.int64


def test_half_precision_becomes_float32():
  tensors = {
    name: value.astype(np.float16) if value.dtype == np.float32 else value
    for name, value in _tensors().items()
  }
  for path, leaf in _flat(_convert(tensors)).items():
    assert leaf.dtype == np.float32, path


def test_other_classes_start_the_head_anew_and_nothing_else():
  todo = plan_conversion("resnet18", _tensors(), num_classes=7, **TINY)
  assert todo.notes == ("the head starts anew: 7 classes, 5 in the checkpoint.",)
  assert set(todo.mapping.new) == {"params/head/bias", "params/head/kernel"}
  variables = apply_plan(todo, _tensors())
  assert variables["params"]["head"]["kernel"].shape[1] == 7
  same = _flat(_convert(_tensors()))
  for path, leaf in _flat(variables).items():
    if path not in todo.mapping.new:
      np.testing.assert_array_equal(leaf, same[path])


def test_a_single_class_starts_the_head_anew_too():
  todo = plan_conversion("resnet18", _tensors(), num_classes=1, **TINY)
  assert set(todo.mapping.new) == {"params/head/bias", "params/head/kernel"}


def test_what_an_image_network_lacks_keeps_its_initial_values():
  tensors = convert_weights.to_torch(
    "resnet50", _variables("resnet50"), source="torchvision", **TINY
  )
  todo = plan_conversion("aggregation_resnet50", tensors, **TINY)
  assert todo.mapping.new
  assert all("branch_input" in leaf for leaf in todo.mapping.new)
  variables = _flat(apply_plan(todo, tensors, seed=3))
  clip = jnp.zeros((1, 2, 16, 16, 3))
  initial = run_on_host(todo.network.init, jax.random.key(3), clip)
  for leaf in todo.mapping.new:
    np.testing.assert_allclose(variables[leaf], _flat(initial)[leaf], rtol=1e-6)


def test_missing_leaves_must_be_allowed_by_name():
  tensors = _tensors()
  del tensors["layer1.0.conv1.weight"]
  leaf = "stage1_block1/conv1/kernel"
  with pytest.raises(ValueError, match=rf"- params/{leaf}.*layer1.0.conv1"):
    _convert(tensors)
  variables = _convert(tensors, allow_missing=["stage1_block1/conv1/*"])
  assert np.isfinite(_flat(variables)[f"params/{leaf}"]).all()
  with pytest.raises(ValueError, match=r"'haed/\*' may be missing, but"):
    _convert(tensors, allow_missing=["haed/*"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_refuses_what_is_not_finite_unless_it_is_allowed(value):
  tensors = _tensors()
  tensors["conv1.weight"] = tensors["conv1.weight"].copy()
  tensors["conv1.weight"][0, 0, 0, 0] = value
  with pytest.raises(ValueError, match=r"NaN or infinity in \['conv1"):
    _convert(tensors)
  _convert(tensors, allow_non_finite=["conv1.*"])


@pytest.mark.parametrize(
  ("settings", "message"),
  [
    (
      {"source": "torchvisoin"},
      "'torchvisoin'; did you mean 'torchvision'",
    ),
    ({"name": "resnet81"}, "unknown model 'resnet81'"),
    ({"inflation": "middle"}, "inflation must be one of"),
    ({"stage_sizes": (2,)}, "- params/stage1_block2/conv1/kernel"),
    ({"width": 16}, r"! params/stem_conv/kernel \(7, 7, 3, 16\)"),
  ],
)
def test_refuses(settings, message):
  with pytest.raises(ValueError, match=message):
    _convert(_tensors(), **settings)


def test_refuses_a_network_that_is_not_made_of_such_weights():
  with pytest.raises(ValueError, match="vit_b16 does not take the weights of"):
    convert_weights.convert("vit_b16", _tensors(), source="torchvision")


def test_refuses_names_of_no_source():
  with pytest.raises(ValueError, match="from 'what' on, are of no source for"):
    convert_weights.convert("resnet18", {"what": np.zeros(3, np.float32)})


def test_flow_takes_the_mean_over_colours():
  kernel = _convert(_tensors(), channels=10)["params"]["stem_conv"]["kernel"]
  mean = _tensors()["conv1.weight"].mean(axis=1)
  assert kernel.shape[2] == 10
  for channel in range(10):
    np.testing.assert_allclose(
      kernel[:, :, channel].transpose(2, 0, 1), mean, rtol=1e-6
    )


def test_back_refuses_variables_of_another_network():
  with pytest.raises(ValueError, match="these variables are not of resnet34"):
    convert_weights.to_torch("resnet34", _variables(), source="torchvision")
