"""CLIP becomes a TAdaFormer as the authors' own converter makes it."""

import jax
import numpy as np
import pytest

from convert_weights.apply import revert_rules
from convert_weights.changes import inflate
from convert_weights.formats import clip, tada
from tests.support import conversion_plans, published_checkpoints

SOURCE, *_ = clip.FORMATS
_TINY = {"width": 256, "depth": 2, "patch": 4, "grid": 4, "features": 64}
_INFLATED = "stack([0, v, 0], axis=2)"


def official_map(shapes):
  """Target's tensor -> [source's tensor, operation], as the authors map."""
  prefix = "visual."
  made = {}
  for name in shapes:
    if not name.startswith(prefix) or name == "visual.proj":
      continue
    ours = name.removeprefix(prefix)
    ours = ours.replace("transformer.resblocks.", "layers.")
    is_stem = name == "visual.conv1.weight"
    made[f"backbone.{ours}"] = [name, _INFLATED if is_stem else "copy"]
  return made


def ours_map(network, tensors):
  """The same of our plan, and the target's tensors that it leaves new."""
  target = conversion_plans.target(network)
  done = conversion_plans.planned(SOURCE, network, tensors, target)
  assert done.problems == ()
  rules = tada.vision_transformer()
  names = {
    leaf: rule.sources(rule.match(leaf))
    for leaf in [*(step.leaf for step in done.steps), *done.new]
    for rule in [next(r for r in rules if r.match(leaf) is not None)]
  }
  made = {}
  for step in done.steps:
    (theirs,), (source,) = names[step.leaf], step.tensors
    is_inflated = step.rule.change is inflate
    made[theirs] = [source, _INFLATED if is_inflated else "copy"]
  return made, {n for leaf in done.new for n in names[leaf]}


def test_maps_the_same_tensors_in_the_same_way():
  network = conversion_plans.build("tadaformer_b16", **conversion_plans.TINY)
  tensors = published_checkpoints.structs(
    published_checkpoints.clip(**_TINY, text_width=16, text={"depth": 2})
  )
  made, new = ours_map(network, tensors)
  assert made == official_map(tensors)
  assert new == _all_of_theirs(network) - made.keys()
  assert {"head.out.weight", "head.out.bias"} <= new
  assert {n.split(".")[3] for n in new if n.startswith("backbone.")} == {"tada"}


def test_its_own_checkpoint_holds_the_values():
  """Our variables in the target's naming are those that it would load."""
  network = conversion_plans.build("tadaformer_b16", **conversion_plans.TINY)
  shapes = published_checkpoints.clip(**_TINY, text_width=16, text={"depth": 2})
  tensors = conversion_plans.draw(shapes)
  variables = conversion_plans.converted(SOURCE, network, tensors)
  theirs = revert_rules(tada.vision_transformer(), variables)
  for name, (source, operation) in official_map(shapes).items():
    want = tensors[source]
    if operation == _INFLATED:
      want = np.stack([0 * want, want, 0 * want], axis=2)
    np.testing.assert_array_equal(theirs[name], want)


def test_tubelets_do_not_go_back_to_patches():
  network = conversion_plans.build("tadaformer_b16", None, **conversion_plans.TINY)
  target = conversion_plans.target(network)
  stem = {"patch_embedding": target["params"]["patch_embedding"]}
  with pytest.raises(ValueError, match="its rule has no way back"):
    revert_rules(SOURCE.rules(network), {"params": stem})


def _all_of_theirs(network):
  """Names in a TAdaFormer's checkpoint, except for the counters."""
  target = conversion_plans.target(network)
  return jax.eval_shape(
    lambda v: revert_rules(tada.vision_transformer(), v), target
  ).keys()
