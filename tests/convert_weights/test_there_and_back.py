"""Every network in every naming that it can have, there and back."""

import functools
import re

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import convert_weights
import temporal_jax
from convert_weights import SOURCES, registry
from convert_weights.apply import apply_plan
from convert_weights.plan import plan_conversion
from temporal_jax.models import MODELS
from tests.support import conversion_plans, tiny_networks

_STAGES = {"stage_sizes": (1, 1, 1, 1)}
# Arguments that make networks of a class small.
_TINY = {
  **tiny_networks.by_class(),
  "VisionTransformer": conversion_plans.TINY,
  "VideoTextModel": {**conversion_plans.TINY, **conversion_plans.TINY_TEXT},
  "ResNet": {**_STAGES, "width": 16},
  "ConvNeXt": {**_STAGES, "widths": (64, 64, 64, 64)},
  "BigLittleNet": {"stage_sizes": (2, 2, 2, 2), "width": 8},
  "ResNet3D": _STAGES,
  "SlowFast": _STAGES,
}


# Networks that have no parameters which images' networks lack.
_WHOLE = (
  r"(tsn_)?resnet\d+|tsm_resnet50|(tsn_)?blresnet\d+|blvnet_(tsm_)?\d+"
  r"|convnext_\w+|vit_(b32|b16|l14|l14_336|h14|bigg14|b32_spatial|b16_in21k)"
  r"|eva_\w+|tsm_vit_b16|timesformer_b16_space|(dinov2|dinov3|siglip2)_\w+"
)


# Sources without a classifier whose networks always have one.
_HEADLESS = (
  "huggingface_resnet_model",
  "huggingface_convnext_model",
  "huggingface_dinov3_convnext",
)


def _arguments(row, source, form):
  small = _TINY[MODELS[row].module.__name__]
  if row.startswith("eva") or row.startswith("atm_eva"):
    small = {**small, "projection": 64}
  if source == "huggingface_clip_vision":
    small = {**small, "projection": None}
  return {**small, **form}


def _pairs():
  """Yields every (row, source), with each form of the source's files."""
  for name, source in SOURCES.items():
    for row in MODELS:
      for form in ({}, *source.forms):
        try:
          network = temporal_jax.create_model(
            row, num_classes=3, **_arguments(row, name, form)
          )
        except (TypeError, ValueError):  # The form is another class's.
          continue
        if source.takes(network):
          yield row, name, form


PAIRS = list(_pairs())


# Sources of video networks without a classifier.
_FEATURES = (
  *("huggingface_timesformer_model", "huggingface_vivit_model"),
  *("videomae_encoder", "huggingface_videomae_model"),
  *("vjepa2", "huggingface_vjepa2_model"),
)


def _is_whole(row, source, form):
  """Whether such weights have all that the network has."""
  if not SOURCES[source].new:
    return True
  if source in _FEATURES:  # Pre-training has no norm of the average.
    return "videomae" not in source or form == {"average_first": False}
  if source == "huggingface_vit" and row == "vit_b16_in21k":
    return False  # It has no layer before the classes.
  return re.fullmatch(_WHOLE, row) is not None


def _marked():
  """Returns the pairs; one of a source is fast, unless it is tested elsewhere.

  Below are plain ViTs; `test_converter`, `test_clip_sources`,
  `test_constructor_arguments` and `test_video_resnets` write and read the
  others.
  """
  seen = {"torchvision", "convnext", "openai_clip", "timm_vit", "google_vit"}
  seen |= {
    "openai_clip_visual",
    "blresnet",
    "blvnet",
    "xvit",
    "atm",
    "ila",
    "xclip",
    "tada",
    "torchvision_video",
    "pyslowfast",
    "pytorchvideo",
    "mmaction2",
    "tsm",
  }
  marked = []
  for row, source, form in PAIRS:
    is_fast = source not in seen
    seen.add(source)
    text = ",".join(f"{key}={value}" for key, value in form.items())
    name = "-".join(filter(None, (source, row, text)))
    marks = [] if is_fast else [pytest.mark.slow]
    marked.append(pytest.param(row, source, form, id=name, marks=marks))
  return marked


def _variables(row, arguments, num_classes):
  """Random variables of a network, no two values alike."""
  network = temporal_jax.create_model(row, num_classes=num_classes, **arguments)
  side = getattr(network, "patch_size", 8) * getattr(network, "grid", 4)
  clip = jax.ShapeDtypeStruct((1, 2, side, side, 3), jnp.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  return jax.tree.map(lambda x: rng.random(x.shape, np.float32), shapes)


@pytest.mark.parametrize(("row", "source", "form"), _marked())
def test_there_and_back(row, source, form):
  arguments = _arguments(row, source, form)
  reads_text = MODELS[row].module.__name__ == "VideoTextModel"
  classes = None if reads_text and form.get("head") != "linear" else 3
  left_out = ("head/*",) if source in _HEADLESS else ()
  is_tower = MODELS[row].module.__name__ == "VisionTransformer"
  if is_tower and SOURCES[source].new.keys() & {"params/head/.+"}:
    classes = None  # Images without a classifier.
  variables = _variables(row, arguments, classes)
  leaves = trees.flatten_dict(variables, sep="/")
  to_torch = functools.partial(
    convert_weights.to_torch,
    row,
    variables,
    source=source,
    num_classes=classes,
    leave_out=left_out,
    **arguments,
  )
  if not _is_whole(row, source, form):
    with pytest.raises(ValueError, match=f"'{source}' cannot name all of {row}"):
      to_torch()
    return
  tensors = to_torch()
  todo = plan_conversion(row, tensors, source=source, num_classes=classes, **arguments)
  new = {leaf for leaf in leaves if left_out and "/head/" in leaf}
  assert todo.mapping.new.keys() == new
  back = trees.flatten_dict(apply_plan(todo, tensors), sep="/")
  assert back.keys() == leaves.keys()
  # Variances of mmaction2's R(2+1)D hold an epsilon on the way.
  exact = 1e-7 if source == "mmaction2" else 0
  for leaf, value in leaves.items():
    if leaf not in new:
      np.testing.assert_allclose(back[leaf], value, rtol=0, atol=exact, err_msg=leaf)


def test_every_source_that_makes_networks_is_among_them():
  tested = {source for _, source, _ in PAIRS}
  assert tested == set(registry.SUPPORTED)


def test_every_format_is_found_by_its_own_name():
  found = [one.name for module in registry.BY_MODULE.values() for one in module]
  assert sorted(found) == sorted(SOURCES)


def test_every_network_of_a_class_with_published_weights_is_among_them():
  published = {entry.module for entry in MODELS.values() if entry.weights}
  rows = {row for row, entry in MODELS.items() if entry.module in published}
  assert rows <= {row for row, *_ in PAIRS}


@pytest.mark.parametrize("source", ["timm_vit", "google_vit"])
@pytest.mark.parametrize("row", ["vit_b16_in21k", "tsm_vit_b16"])
def test_plain_vits_without_the_layer_before_the_classes(row, source):
  arguments = {**conversion_plans.TINY, "representation": None}
  variables = _variables(row, arguments, 3)
  tensors = convert_weights.to_torch(row, variables, source=source, **arguments)
  assert not [name for name in tensors if "pre_logits" in name]
  back = convert_weights.convert(row, tensors, source=source, **arguments)
  jax.tree.map(np.testing.assert_array_equal, back, variables)
