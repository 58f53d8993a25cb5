"""Operators as text fill slots as the same operators made in Python do."""

import functools

import jax
import jax.numpy as jnp
import pytest

from temporal_jax import layers, models
from temporal_jax.models.slots import Blocks, Temporal

_TINY = {"width": 8, "stage_sizes": (2, 1, 1, 1)}
_VIT = {"width": 32, "depth": 4, "num_heads": 2, "patch_size": 8}


def _model(temporal, name="resnet18", **overrides):
  if name in ("resnet18", "vit_b16"):
    overrides |= _VIT if name == "vit_b16" else _TINY
  return models.create_model(
    name, num_classes=3, num_frames=4, image_size=32, temporal=temporal, **overrides
  )


def _layer(factory):
  """Returns the class of a factory and its arguments, likewise for those."""
  arguments = {}
  if isinstance(factory, functools.partial):
    arguments = {name: _layer(value) for name, value in factory.keywords.items()}
    if factory.args:  # Layers that follow one another.
      arguments["of"] = [_layer(part) for part in factory.args[0]]
    factory = factory.func
  return (factory, arguments) if arguments else factory


def _slots(temporal, name="resnet18"):
  """Returns the layer of each slot of each block, by the block's name."""
  model = _model(temporal, name)
  found = {}
  for stage, (number, count) in enumerate(model.stages().items()):
    for block in range(count):
      here = model.temporal.at(stage, block)
      slots = {slot: _layer(getattr(here, slot)) for slot in here.own_slots()}
      if slots:
        found[number, block + 1] = slots
  return found


def _in_python(slots, **where):
  return Temporal(**slots, where=Blocks(**where))


@pytest.mark.parametrize(
  ("text", "same"),
  [
    (
      "aggregation(taps=5, stages=(3, 4))",
      _in_python(
        {"branch_input": functools.partial(layers.TemporalAggregation, taps=5)},
        stages=(2, 3),
      ),
    ),
    (
      "adaptive(axis='both', route='static')",
      _in_python(
        {
          "convolution": functools.partial(
            layers.AdaptiveConv, axis="both", route=layers.LearnedCalibration
          ),
          "after_convolution": layers.StridedTemporalPooling,
        }
      ),
    ),
    (
      "adaptive(after_convolution=None, route=mlp(ratio=2, taps=(1, 3)), blocks=1)",
      _in_python(
        {
          "convolution": functools.partial(
            layers.AdaptiveConv,
            route=functools.partial(layers.RouteMlp, ratio=2, taps=(1, 3)),
          )
        },
        blocks=(0,),
      ),
    ),
    (
      "shift | aggregation(every=2)",
      Temporal(
        branch_input=layers.TemporalShift,
        followed_by=_in_python(
          {"branch_input": functools.partial(layers.TemporalAggregation, taps=3)},
          every=2,
        ),
      ),
    ),
  ],
)
def test_it_is_the_operator_made_in_python(text, same):
  assert _slots(text) == _slots(same) != {}


@pytest.mark.parametrize(
  ("text", "blocks"),
  [
    ("stages=2", {(2, 1)}),
    ("blocks=2", {(1, 2)}),
    ("every=2", {(1, 1), (2, 1), (3, 1), (4, 1)}),
    ("stages=(1, 3), blocks=(1, 2)", {(1, 1), (1, 2), (3, 1)}),
  ],
)
def test_stages_and_blocks_are_counted_from_1(text, blocks):
  assert _slots(f"aggregation({text})").keys() == blocks


def test_they_have_the_numbers_of_the_names():
  model = _model("aggregation(stages=1, blocks=2)")
  clip = jax.ShapeDtypeStruct((1, 4, 32, 32, 3), jnp.float32)
  params = jax.eval_shape(model.init, jax.random.key(0), clip)["params"]
  found = {name for name, block in params.items() if "branch_input" in block}
  assert found == {"stage1_block2"}


def test_the_stem_of_big_little_net_is_stage_0():
  found = _slots("aggregation(stages=(0, 4))", "blvnet_50")
  assert found.keys() == {(0, 1), (4, 1), (4, 2), (4, 3)}


def test_arithmetic_follows_blocks():
  text = "arithmetic(2, operations=('sum',), combination='cascade', class_token=False)"
  found = _slots(text, "vit_b16")
  arguments = {"operations": ("sum",), "combination": "cascade"}
  assert found == {(1, 3): {"block_input": (layers.ArithmeticModeling, arguments)}}
  assert _slots(text.replace("2,", "blocks=3,"), "vit_b16") == found


def test_an_initialiser_is_named():
  model = _model("adaptive_convolution(kernel_init=normal(stddev=0.0))")
  initialise = model.temporal.convolution.keywords["kernel_init"]
  assert not initialise(jax.random.key(0), (3, 3)).any()


def test_features_are_given_by_the_text_where_nobody_else_gives_them():
  slots = _slots("alignment(features=64, blocks=1)", "vit_b16")
  layer = (layers.LearnableAlignment, {"features": 64})
  assert slots == {(1, 1): {"attention_branch": layer}}


def test_the_paper_has_arithmetic_after_attention():
  text = "arithmetic(after_attention=True, class_token=False)"
  model = models.create_model("vit_b16", num_classes=3, temporal=text)
  # The seventh of 12 blocks, before its MLP.
  assert [block for block in range(12) if model.temporal.at(0, block).filled()] == [6]
  assert model.temporal.at(0, 6).filled() == {"mlp_input"}


@pytest.mark.parametrize("form", ["code", "paper"])
def test_the_route_of_adaptive_attention_has_two_forms(form):
  text = f"adaptive_attention(form='{form}')"
  model = models.create_model("tadaconvnextv2_tiny", num_classes=3, temporal=text)
  route = model.temporal.convolution.keywords["route"]
  assert route.keywords["form"] == form


@pytest.mark.parametrize("tokens", ["shift(fold_div=4)", "'shift(fold_div=4)'"])
def test_a_layer_may_hold_another_one(tokens):
  slots = _slots(f"mixing_summary(tokens={tokens}, blocks=1)", "vit_b16")
  inner = (layers.TemporalShift, {"fold_div": 4})
  outer = (layers.SummaryTokens, {"tokens": inner})
  assert slots == {(1, 1): {"keys_values": outer}}


@pytest.mark.parametrize("name", sorted(set(models.OPERATORS) - {"none"}))
def test_equal_texts_make_equal_networks(name):
  for network in ("resnet18", "vit_b16", "convnext_tiny", "r2plus1d_18"):
    try:
      first = models.create_model(network, num_classes=3, temporal=f"{name}(every=1)")
    except ValueError as error:
      assert "has the temporal slots" in str(error)  # noqa: PT017
      continue
    again = models.create_model(network, num_classes=3, temporal=f"{name}( every = 1 )")
    plain = models.create_model(network, num_classes=3, temporal=name)
    assert first == again
    assert first.temporal.filled() == plain.temporal.filled()
    return
  pytest.fail("no network takes it")


@pytest.mark.parametrize(
  ("text", "words"),
  [
    ("agregation(taps=5)", "operator 'agregation'; did you mean 'aggregation'"),
    ("aggregation(tapz=5)", "'tapz' of aggregation; did you mean 'taps'.*'stages'"),
    ("aggregation(taps='5')", "taps of aggregation must be an integer, got '5'"),
    ("aggregation(taps=True)", "taps of aggregation must be an integer, got True"),
    ("aggregation(5)", "takes its arguments by name, got 5"),
    ("aggregation(stages=(0,))", r"among \[1, 2, 3, 4\], got \(0,\)"),
    ("aggregation(blocks=3)", r"among \[1, 2\], got 3"),
    ("aggregation(every=0)", "from 1 to 2, got 0"),
    ("aggregation(taps=__import__('os'))", "must be numbers, strings"),
    ("adaptive | adaptive_convolution", "slot 'convolution' is filled twice"),
    ("adaptive(route=mpl)", "route of adaptive 'mpl'; did you mean 'mlp'"),
    ("adaptive(route=mlp(rato=2))", "'rato' of mlp; did you mean 'ratio'"),
    ("adaptive(route=mlp(ratio=0.5))", "ratio of mlp must be an integer, got 0.5"),
    ("adaptive(route=7)", "route of adaptive must be NAME"),
    ("adaptive(convolution=3)", "can only be None"),
    (
      "adaptive(convolution=None, route=mlp)",
      "route of adaptive is of the layer in its slot convolution, which conv",
    ),
    ("adaptive(features=3)", "argument 'features' of adaptive"),
    ("adaptive(kernel_init=normal(std=1))", "unexpected keyword argument 'std'"),
    ("arithmetic(1)", "network of stages arithmetic takes stages= and blocks="),
    ("arithmetic(after_attention=True)", "not numbers or after_attention=True"),
    ("adaptive(dtype='bfloat17')", "dtype of adaptive must be .* got 'bfloat17'"),
    ("aggregation(taps=5) # | shift", "holds a '#'"),
    ("aggregation(stages=2, blocks=2)", "no block of the network is among the blocks"),
    ("aggregation(stages=())", r"among \[1, 2, 3, 4\], got none"),
    ("shift(", "cannot be read"),
    ("shift + shift", "write NAME or NAME"),
    ("shift(**{})", "without name or twice"),
    ("", "temporal operator ''"),
  ],
)
def test_what_cannot_be_is_refused(text, words):
  with pytest.raises(ValueError, match=words):
    _model(text)


@pytest.mark.parametrize(
  ("text", "words"),
  [
    ("arithmetic(4)", "follows 0 to 3 of the blocks, got 4"),
    ("arithmetic(0, after_attention=True)", "follows 1 to 3 of the blocks, got 0"),
    ("arithmetic(1, blocks=2)", "names its blocks twice"),
    ("arithmetic(True)", "blocks of arithmetic must be an integer, got True"),
    ("arithmetic(class_token=5)", "class_token of arithmetic must be True or False"),
    ("arithmetic(clas_token=False)", "did you mean 'class_token'"),
  ],
)
def test_what_a_transformer_lacks_is_refused(text, words):
  with pytest.raises(ValueError, match=words):
    _model(text, "vit_b16")
