import jax
import numpy as np
import pytest

from convert_weights import changes
from convert_weights.apply import apply_rules, revert_rules
from convert_weights.plan import plan_conversion
from convert_weights.planning.mapping import map_tensors
from convert_weights.rules import (
  Rule,
  batch_norm,
  changing,
  conv2d,
  linear,
  under,
)
from tests.support import network_shapes

RULES = [
  *conv2d("stage{s}_block{b}/conv", "layer{s}.{b-1}.conv"),
  *under(linear("head", "fc"), "", "model"),
  *batch_norm("norm", "bn"),
  Rule("params/taps", ("prev.weight", "next.weight"), "k c 1 -> k c"),
  Rule("params/qkv/kernel", ("qkv",), "(three m d) i -> i three m d"),
]
TENSORS = {
  "layer2.0.conv.weight": (5, 4, 3, 3),
  "model.fc.weight": (7, 6),
  "model.fc.bias": (7,),
  "bn.weight": (5,),
  "bn.bias": (5,),
  "bn.running_mean": (5,),
  "bn.running_var": (5,),
  "bn.num_batches_tracked": (),
  "prev.weight": (3, 1),
  "next.weight": (3, 1),
  "qkv": (24, 6),
}
TARGET = {
  "params": {
    "stage2_block1": {"conv": {"kernel": (3, 3, 4, 5)}},
    "head": {"kernel": (6, 7), "bias": (7,)},
    "norm": {"scale": (5,), "bias": (5,)},
    "taps": (2, 3),
    "qkv": {"kernel": (6, 3, 4, 2)},
  },
  "batch_stats": {"norm": {"mean": (5,), "var": (5,)}},
}


@pytest.fixture
def tensors():
  rng = np.random.default_rng(0)
  return {k: rng.standard_normal(s) for k, s in TENSORS.items()}


@pytest.fixture
def target():
  return jax.tree.map(
    lambda shape: jax.ShapeDtypeStruct(shape, np.float32),
    TARGET,
    is_leaf=lambda x: isinstance(x, tuple),
  )


def test_makes_every_leaf(tensors, target):
  made = apply_rules(RULES, tensors, target)
  assert jax.tree.map(np.shape, made, is_leaf=lambda x: hasattr(x, "shape")) == (TARGET)
  kernel = made["params"]["stage2_block1"]["conv"]["kernel"]
  want = tensors["layer2.0.conv.weight"].transpose(2, 3, 1, 0)
  np.testing.assert_array_equal(kernel, want)
  np.testing.assert_array_equal(made["params"]["taps"][1], tensors["next.weight"][:, 0])
  qkv = made["params"]["qkv"]["kernel"]
  np.testing.assert_array_equal(qkv[:, 2, 1, 1], tensors["qkv"][16 + 2 + 1])


def test_the_way_back_is_exact(tensors, target):
  back = revert_rules(RULES, apply_rules(RULES, tensors, target))
  del tensors["bn.num_batches_tracked"]  # No leaf of ours.
  assert back.keys() == tensors.keys()
  for name, value in tensors.items():
    np.testing.assert_array_equal(back[name], value)


def test_lists_all_that_is_wrong(tensors, target):
  del tensors["bn.bias"]
  tensors["extra"] = np.zeros(2)
  tensors["qkv"] = tensors["qkv"].T
  target["params"]["new"] = jax.ShapeDtypeStruct((9,), np.float32)
  with pytest.raises(ValueError, match="do not fit") as error:
    apply_rules(RULES, tensors, target)
  lines = str(error.value).splitlines()[1:]
  assert [line[0] for line in lines] == ["!", "+", "-", "-"]
  assert "params/qkv/kernel (6, 3, 4, 2)" in lines[0]
  assert "qkv (6, 24)" in lines[0]
  assert "extra (2,): no leaf uses it" in lines[1]
  assert "params/new (9,): no rule makes it" in lines[2]
  assert "lacks ['bn.bias']" in lines[3]


def test_a_leaf_without_a_rule_cannot_go_back():
  with pytest.raises(ValueError, match="params/a"):
    revert_rules([], {"params": {"a": np.zeros(1)}})


def test_a_tensor_may_have_two_names():
  rules = [*linear("head", "new"), *linear("head", "old")]
  leaves = {"kernel": np.zeros((6, 7)), "bias": np.zeros(7)}
  target = {"params": {"head": leaves}}
  old = {"old.weight": np.ones((7, 6)), "old.bias": np.ones(7)}
  made = apply_rules(rules, old, target)
  np.testing.assert_array_equal(made["params"]["head"]["kernel"], 1)
  assert revert_rules(rules, made).keys() == {"new.weight", "new.bias"}
  both = {**old, **{k.replace("old", "new"): v for k, v in old.items()}}
  problems = map_tensors(rules, both, target).problems
  assert problems == (
    "+ old.bias (7,): no leaf uses it",
    "+ old.weight (7, 6): no leaf uses it",
  )
  (problem,) = map_tensors(rules, {"old.weight": old["old.weight"]}, target).problems
  assert "['new.bias'] or ['old.bias']" in problem


@pytest.mark.parametrize(
  "change", [changes.inflate, changes.inflate_stem, changes.inflate_wider]
)
def test_a_rule_that_inflates_reads_backwards_where_it_need_not(change):
  rules = changing(conv2d("conv", "conv"), change)
  kernel = np.random.default_rng(0).standard_normal((3, 3, 4, 5))
  back = revert_rules(rules, {"params": {"conv": {"kernel": kernel}}})
  np.testing.assert_array_equal(back["conv.weight"], kernel.transpose(3, 2, 0, 1))
  with pytest.raises(ValueError, match="no way back"):
    revert_rules(rules, {"params": {"conv": {"kernel": kernel[None]}}})


def test_other_numbers_of_positions_are_named():
  network = network_shapes.build("timesformer_b16", num_classes=5)
  clip = jax.ShapeDtypeStruct((1, 8, 224, 224, 3), np.float32)
  target = jax.eval_shape(network.init, jax.random.key(0), clip)
  tensors = network_shapes.names("huggingface_timesformer", network, target)
  same = plan_conversion("timesformer_b16", tensors)
  assert same.interpolated == ()
  name = "timesformer.embeddings.time_embeddings"
  shorter = {**tensors, name: jax.ShapeDtypeStruct((1, 4, 768), np.float32)}
  other = plan_conversion("timesformer_b16", shorter, image_size=448)
  assert {line.partition(":")[2] for line in other.interpolated} == {
    " the checkpoint has 4 positions, the network 8.",
    " the checkpoint has 197 positions, the network 785.",
  }
