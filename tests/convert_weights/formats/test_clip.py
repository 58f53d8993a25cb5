"""CLIP's weights, as openai/CLIP names them, on their way into networks."""

import re

import jax
import numpy as np
import pytest

import convert_weights
from convert_weights.apply import apply_plan, revert_rules
from convert_weights.formats import clip
from convert_weights.plan import plan_conversion
from tests.support import conversion_plans, published_checkpoints

SOURCE, VISUAL, RESNET = clip.FORMATS
_TINY = {"width": 256, "depth": 2, "patch": 4, "grid": 4, "features": 64}
_TEXT = {"depth": 2, "vocabulary": 50, "context": 6}
TENSORS = published_checkpoints.structs(
  published_checkpoints.clip(**_TINY, text_width=16, text=_TEXT)
)

# Row, arguments, and the slots of a block that images have no weights for.
VIDEO = [
  ("vit_b32", {}, ""),
  ("vit_b16", {"tubelet": (3, 2)}, ""),
  ("atm_vit_b16", {}, "block_input mlp_input"),
  ("tadaformer_b16", {}, "attention_branch"),
  (
    "tadaformer_b16",
    {"temporal": "adaptive_branches"},
    "attention_branch mlp_branch",
  ),
  ("vit_b32_spatial", {}, ""),
  ("vit_b32_joint", {}, ""),
  ("vit_b32_divided", {}, "attention_branch"),
  ("vit_b32_ata", {}, "attention_branch"),
  ("ila_vit_b16", conversion_plans.TINY_TEXT, "attention_branch"),
  ("ila_vit_b16", {"head": "linear", "projection": 64}, "attention_branch"),
  ("xclip_b32", conversion_plans.TINY_TEXT, "block_input"),
  ("tadaformer_b16_text", conversion_plans.TINY_TEXT, "attention_branch"),
]
_BESIDE = r"(head|integration|prompt\w*|classifier)/.+|temporal_embedding"


def _build(row, arguments):
  projected = "projection" in arguments or "tadaformer" in row
  more = {} if projected else {"projection": 64}
  return conversion_plans.build(row, **{**conversion_plans.TINY, **more, **arguments})


def _without(tensors, *names):
  return {n: t for n, t in tensors.items() if n not in names}


@pytest.mark.parametrize(("row", "arguments", "slots"), VIDEO)
def test_every_tensor_of_the_tower_goes_into_a_network(row, arguments, slots):
  network = _build(row, arguments)
  assert SOURCE.takes(network)
  done = conversion_plans.planned(SOURCE, network, TENSORS)
  assert done.problems == ()
  skipped = {name for name in done.skipped if name.startswith("visual.")}
  assert skipped == (set() if network.projection else {"visual.proj"})
  reads_texts = getattr(network, "head", "") == "text"
  assert ("token_embedding.weight" in done.skipped) != reads_texts
  assert ("logit_scale" in done.skipped) != reads_texts
  in_slots = rf"(visual/)?block\d/({'|'.join(slots.split())})/.+"
  for leaf in done.new:
    path = leaf.split("/", 1)[1]
    assert re.fullmatch(in_slots if slots else "", path) or re.fullmatch(_BESIDE, path)


@pytest.mark.parametrize("row", ["vit_b32", "tadaformer_b16", "xclip_b32"])
def test_a_tensor_renamed_is_a_problem(row):
  text = conversion_plans.TINY_TEXT if row == "xclip_b32" else {}
  network = _build(row, text)
  done = conversion_plans.planned(SOURCE, network, TENSORS)
  used = {name for step in done.steps for name in step.tensors}
  images = {name for name in used if name.startswith("visual.")}
  conversion_plans.check_renamed(SOURCE, network, TENSORS, images)
  texts = used - images  # A text tower may hold what it likes.
  conversion_plans.check_renamed(SOURCE, network, TENSORS, texts, twice=False)


def test_other_sizes_of_network_are_problems():
  network = _build("vit_b32", {"depth": 1})
  problems = conversion_plans.planned(SOURCE, network, TENSORS).problems
  assert len(problems) == 12
  assert all(line.startswith("+ visual.transformer") for line in problems)
  network = _build("vit_b32", {"depth": 3})
  problems = conversion_plans.planned(SOURCE, network, TENSORS).problems
  assert len(problems) == 12
  assert all(line.startswith("- params/block3/") for line in problems)
  network = _build("vit_b32", {"patch_size": 8})
  (problem,) = conversion_plans.planned(SOURCE, network, TENSORS).problems
  assert problem.startswith("! params/patch_embedding/kernel")


@pytest.mark.parametrize("row", ["tadaformer_b16", "tadaformer_b16_text"])
def test_patches_become_the_middle_of_tubelets(row):
  texts = conversion_plans.TINY_TEXT if row.endswith("_text") else {}
  network = _build(row, texts)
  tensors = conversion_plans.draw({n: t.shape for n, t in TENSORS.items()})
  made = conversion_plans.converted(SOURCE, network, tensors)["params"]
  if texts:  # Both towers of CLIP, and its factor.
    token = made["text"]["token_embedding"]["embedding"]
    np.testing.assert_array_equal(token, tensors["token_embedding.weight"])
    assert made["log_scale"] == tensors["logit_scale"]
  kernel = made.get("visual", made)["patch_embedding"]["kernel"]
  assert kernel.shape == (3, 4, 4, 3, 256)
  want = tensors["visual.conv1.weight"].transpose(2, 3, 1, 0)
  np.testing.assert_array_equal(kernel[1], want)
  assert not kernel[::2].any()


@pytest.mark.parametrize("grid", [3, 4, 7])
def test_positions_fit_another_grid_as_torch_would_have_it(grid):
  torch = pytest.importorskip("torch")
  network = _build("vit_b16", {"grid": grid})
  tensors = conversion_plans.draw({n: t.shape for n, t in TENSORS.items()})
  made = conversion_plans.converted(SOURCE, network, tensors)["params"]
  given = tensors["visual.positional_embedding"]
  square = torch.tensor(given[1:]).reshape(1, 4, 4, -1).permute(0, 3, 1, 2)
  want = torch.nn.functional.interpolate(
    square, (grid, grid), mode="bicubic", align_corners=False
  )
  want = want[0].flatten(1).T.numpy()
  got = made["position_embedding"]
  np.testing.assert_array_equal(got[0], given[0])
  np.testing.assert_allclose(got[1:], want, rtol=1e-5, atol=1e-5)


def test_goes_back_exactly():
  network = _build("vit_b16", {"num_classes": None})
  tensors = conversion_plans.draw({n: t.shape for n, t in TENSORS.items()})
  variables = conversion_plans.converted(SOURCE, network, tensors)
  back = revert_rules(SOURCE.rules(network), variables)
  assert back.keys() == {n for n in tensors if n.startswith("visual.")}
  for name, value in back.items():
    np.testing.assert_array_equal(value, tensors[name])


def test_a_text_tower_of_its_own_goes_in_too():
  """As mlfoundations/open_clip has it with other text towers."""
  prefixed = {
    name if name.startswith(("visual.", "logit")) else f"text.{name}": tensor
    for name, tensor in TENSORS.items()
  }
  network = _build("xclip_b32", conversion_plans.TINY_TEXT)
  shapes = conversion_plans.target(network)
  done = conversion_plans.planned(SOURCE, network, prefixed, shapes)
  assert done.problems == ()
  assert not done.skipped
  name = "text.ln_final.bias"
  lost = conversion_plans.planned(SOURCE, network, _without(prefixed, name), shapes)
  assert name in lost.problems[0]
  image = conversion_plans.planned(SOURCE, _build("vit_b32", {}), prefixed)
  assert image.problems == ()


def test_what_else_archives_and_checkpoints_hold_is_skipped():
  number = jax.ShapeDtypeStruct((), np.int64)
  mask = jax.ShapeDtypeStruct((6, 6), np.float32)
  more = TENSORS | {"attn_mask": mask}
  for name in ("input_resolution", "context_length", "vocab_size"):
    more[name] = number
  network = _build("xclip_b32", conversion_plans.TINY_TEXT)
  done = conversion_plans.planned(SOURCE, network, more)
  assert done.problems == ()
  assert done.skipped.keys() == more.keys() - TENSORS.keys()


@pytest.mark.parametrize(
  ("row", "sizes"),
  [
    ("vit_b32", published_checkpoints.CLIP_B32),
    ("vit_b16", published_checkpoints.CLIP_B16),
    pytest.param("vit_l14", published_checkpoints.CLIP_L14, marks=pytest.mark.slow),
    pytest.param(
      "vit_l14_336", published_checkpoints.CLIP_L14_336, marks=pytest.mark.slow
    ),
    pytest.param("vit_h14", published_checkpoints.CLIP_H14, marks=pytest.mark.slow),
    pytest.param(
      "vit_bigg14", published_checkpoints.CLIP_BIG_G14, marks=pytest.mark.slow
    ),
    ("xclip_b32", published_checkpoints.CLIP_B32),
    pytest.param(
      "tadaformer_l14_text", published_checkpoints.CLIP_L14, marks=pytest.mark.slow
    ),
    pytest.param("ila_vit_b32", published_checkpoints.CLIP_B32, marks=pytest.mark.slow),
    pytest.param("ila_vit_l14", published_checkpoints.CLIP_L14, marks=pytest.mark.slow),
  ],
)
def test_published_files_are_used_whole(row, sizes):
  tensors = published_checkpoints.structs(published_checkpoints.clip(**sizes))
  network = conversion_plans.build(row, num_classes=None)
  done = conversion_plans.planned(SOURCE, network, tensors)
  assert done.problems == ()
  both = row.startswith(("ila", "xclip")) or row.endswith("_text")
  assert not {n for n in done.skipped if both or n.startswith("visual.")}


@pytest.mark.parametrize("prefix", ["", "image_encoder."])
@pytest.mark.parametrize(
  ("row", "arguments"),
  [
    ("vit_b16", {}),
    ("tadaformer_b16", {}),
    ("ila_vit_b16", {"head": "linear", "num_classes": 3}),
  ],
)
def test_a_tower_saved_without_visual_is_that_with_it(prefix, row, arguments):
  rng = np.random.default_rng(0)
  both = {
    name: rng.random(tensor.shape, np.float32) for name, tensor in TENSORS.items()
  }
  tower = {
    prefix + name.removeprefix("visual."): value
    for name, value in both.items()
    if name.startswith("visual.")
  }
  arguments = {**conversion_plans.TINY, "activation": "quick_gelu", **arguments}
  if "tadaformer" not in row:
    arguments["projection"] = 64
  todo = plan_conversion(row, tower, **arguments)
  assert todo.source.name == "openai_clip_visual"
  assert todo.prefix == prefix
  got = apply_plan(todo, tower)
  want = convert_weights.convert(row, both, **arguments)
  jax.tree.map(np.testing.assert_array_equal, got, want)


def test_a_tower_saved_without_visual_needs_all_of_its_tensors():
  tensors = published_checkpoints.structs(published_checkpoints.clip_image(**_TINY))
  for row in ("vit_b32", "tadaformer_b16"):
    network = _build(row, {})
    done = conversion_plans.planned(VISUAL, network, tensors)
    used = {name for step in done.steps for name in step.tensors}
    assert tensors.keys() - used <= {"proj"}
    conversion_plans.check_renamed(VISUAL, network, tensors, used)
  assert not VISUAL.takes(_build("xclip_b32", conversion_plans.TINY_TEXT))


def test_a_resnet_for_images_is_known_and_refused():
  tensors = published_checkpoints.structs(published_checkpoints.clip_resnet50())
  done = conversion_plans.map_tensors((), tensors, {}, skip=RESNET.skip)
  assert done.problems == ()
  assert done.skipped.keys() == tensors.keys()
  for row in ("resnet50", "vit_b32", "xclip_b32"):
    assert not RESNET.takes(conversion_plans.build(row))
  assert {source.name for source in clip.FORMATS if _marked(source, tensors)} == {
    "openai_clip_resnet"
  }


def test_takes_no_network_of_another_form():
  for row in ("resnet50", "xvit_b16", "vit_b16_in21k", "eva_l14"):
    assert not SOURCE.takes(conversion_plans.build(row))


def _marked(source, tensors):
  return all(any(re.fullmatch(m, n) for n in tensors) for m in source.marks)


def test_heads_of_another_width_than_the_row_are_a_remark():
  tensors = published_checkpoints.clip_image(**{**_TINY, "width": 384})
  sizes = {"width": 384, "depth": 2, "patch_size": 4, "grid": 4, "projection": 64}
  todo = plan_conversion(
    "vit_b32",
    published_checkpoints.structs(tensors),
    activation="quick_gelu",
    **sizes,
  )
  (line,) = todo.assumed
  assert "does not state its num_heads: 12 is assumed" in line
  assert "--set num_heads=6." in line
