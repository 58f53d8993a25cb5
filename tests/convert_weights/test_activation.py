"""The activation of CLIP's weights: said, asked for, or assumed aloud."""

import json

import jax
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import convert_weights
import temporal_jax
from convert_weights.__main__ import main
from convert_weights.plan import plan_conversion
from convert_weights.reading import Setting
from temporal_jax import inference, ops
from tests.support import conversion_plans, published_checkpoints

TINY = {**conversion_plans.TINY, "projection": 64}
_SIZES = {"width": 256, "depth": 2, "patch": 4, "grid": 4, "features": 64}
_OPEN_CLIP = {"model_cfg": {"quick_gelu": False}}
_FLAGS = [flag for name, value in TINY.items() for flag in ("--set", f"{name}={value}")]


class _Block(torch.nn.Module):
  """A block of CLIP's image tower, with a given activation."""

  def __init__(self, width, activation):
    super().__init__()
    self.ln_1 = torch.nn.LayerNorm(width)
    self.attn = torch.nn.MultiheadAttention(width, 4, batch_first=True)
    self.ln_2 = torch.nn.LayerNorm(width)
    self.mlp = torch.nn.ModuleDict(
      {
        "c_fc": torch.nn.Linear(width, 4 * width),
        "c_proj": torch.nn.Linear(4 * width, width),
      }
    )
    self.activation = activation

  def forward(self, x):
    y = self.ln_1(x)
    x = x + self.attn(y, y, y, need_weights=False)[0]
    y = self.activation(self.mlp["c_fc"](self.ln_2(x)))
    return x + self.mlp["c_proj"](y)


class _Tower(torch.nn.Module):
  """CLIP's image tower as openai/CLIP and open_clip name it."""

  def __init__(self, activation, width=256, features=64):
    super().__init__()
    blocks = [_Block(width, activation) for _ in range(2)]
    self.conv1 = torch.nn.Conv2d(3, width, 4, 4, bias=False)
    self.class_embedding = torch.nn.Parameter(torch.zeros(width))
    self.positional_embedding = torch.nn.Parameter(torch.zeros(17, width))
    self.ln_pre = torch.nn.LayerNorm(width)
    self.transformer = torch.nn.ModuleDict({"resblocks": torch.nn.Sequential(*blocks)})
    self.ln_post = torch.nn.LayerNorm(width)
    self.proj = torch.nn.Parameter(torch.zeros(width, features))

  def forward(self, images):
    x = self.conv1(images).flatten(2).transpose(1, 2)
    first = self.class_embedding.expand(len(x), 1, -1)
    x = torch.cat([first, x], dim=1) + self.positional_embedding
    x = self.transformer["resblocks"](self.ln_pre(x))
    return self.ln_post(x[:, 0]) @ self.proj


def _quick(x):
  return x * torch.sigmoid(1.702 * x)


def _tensors(tower):
  tensors = conversion_plans.tensors_of(tower)
  return {f"visual.{name}": value for name, value in tensors.items()}


def _features(variables, images, **arguments):
  network = temporal_jax.create_model("vit_b16", num_classes=None, **TINY, **arguments)
  clip = images.permute(0, 2, 3, 1).numpy()[:, None]
  return np.asarray(network.apply(variables, clip)[0])


@pytest.mark.parametrize(
  ("name", "function"),
  [("gelu", torch.nn.functional.gelu), ("quick_gelu", _quick)],
)
def test_weights_give_what_the_tower_of_their_activation_gives(name, function):
  tower = conversion_plans.shake(_Tower(function))
  images = torch.randn(3, 3, 16, 16)
  variables = convert_weights.convert(
    "vit_b16", _tensors(tower), activation=name, **TINY
  )
  want = tower(images)
  got = _features(variables, images, activation=name)
  assert conversion_plans.distance(got, want) < 1e-5
  (other,) = {"gelu", "quick_gelu"} - {name}
  got = _features(variables, images, activation=other)
  assert conversion_plans.distance(got, want) > 1e-3


@pytest.fixture(scope="module")
def tensors():
  return conversion_plans.draw(published_checkpoints.clip_image(**_SIZES))


def _prepare(tensors, name="vit_b16", source="openai_clip", **settings):
  named = {f"visual.{key}": value for key, value in tensors.items()}
  return plan_conversion(name, named, source=source, **TINY, **settings)


def test_what_nobody_says_is_assumed_aloud(tensors):
  todo = _prepare(tensors)
  (line,) = todo.assumed
  assert line.startswith("the file does not state its activation: quick_gelu is")
  assert "open_clip's" in line
  assert "--set activation=gelu" in line
  assert todo.overrides["activation"] == "quick_gelu"
  named = {f"visual.{key}": value for key, value in tensors.items()}
  with pytest.warns(UserWarning, match="does not state its activation"):
    convert_weights.convert("vit_b16", named, **TINY)


def _says(value):
  return {"activation": (Setting(value, "config.json (hidden_act)"),)}


def test_what_the_file_says_is_used(tensors):
  todo = _prepare(tensors, settings=_says("gelu"))
  assert not todo.assumed
  assert todo.network.activation == "gelu"
  assert todo.overrides["activation"] == "gelu"
  said = "activation is gelu, as in config.json (hidden_act)."
  assert said in todo.notes


@pytest.mark.parametrize("asked", ["gelu", ops.gelu])
def test_what_is_asked_for_is_used(tensors, asked):
  todo = _prepare(tensors, activation=asked)
  assert todo.network.activation is asked
  assert not todo.assumed
  assert any("as asked for; the file has none" in line for line in todo.notes)
  todo = _prepare(tensors, activation=asked, settings=_says("gelu"))
  assert todo.network.activation is asked


def test_one_thing_said_and_another_asked_for_is_refused(tensors):
  with pytest.raises(ValueError, match=r"gelu was asked for, but config.json"):
    _prepare(tensors, activation="gelu", settings=_says("quick_gelu"))
  twice = {"activation": (*_says("gelu")["activation"], Setting("relu", "a"))}
  with pytest.raises(ValueError, match=r"config.json .* has .*, but a has"):
    _prepare(tensors, settings=twice)
  with pytest.raises(ValueError, match="gelu_new, which no network of the catalog has"):
    _prepare(tensors, settings=_says("gelu_new"))
  pooled = {"pooling": (Setting("average", "open_clip_config.json"),)}
  with pytest.raises(ValueError, match=r"open_clip_config.json states that the av"):
    _prepare(tensors, settings=pooled)


@pytest.mark.parametrize(
  ("row", "arguments"),
  [
    ("atm_vit_b16", {"depth": 8}),
    ("tadaformer_b16", {}),
    ("vit_b32_divided", {}),
  ],
)
def test_video_networks_start_with_the_activation_of_their_weights(row, arguments):
  shapes = published_checkpoints.clip_image(
    **{**_SIZES, "depth": arguments.get("depth", 2)}
  )
  named = {f"visual.{n}": t for n, t in published_checkpoints.structs(shapes).items()}
  todo = plan_conversion(
    row, named, num_classes=3, activation="gelu", **{**TINY, **arguments}
  )
  assert todo.network.activation == "gelu"
  assert todo.mapping.new


@pytest.mark.parametrize("row", ["ila_vit_b16", "xclip_b32"])
def test_both_towers_have_one_activation(row):
  text = {"depth": 2, "vocabulary": 50, "context": 6}
  sizes = {**conversion_plans.TINY, **conversion_plans.TINY_TEXT}
  tensors = published_checkpoints.structs(
    published_checkpoints.clip(**_SIZES, text_width=16, text=text)
  )
  todo = plan_conversion(row, tensors, settings=_says("gelu"), **sizes)
  assert todo.network.activation == "gelu"
  text = {"text_activation": (Setting("quick_gelu", "config.json (text)"),)}
  with pytest.raises(ValueError, match=r"but config.json .text. has quick_gel"):
    plan_conversion(row, tensors, settings=_says("gelu") | text, **sizes)


@pytest.mark.parametrize(
  ("source", "row"),
  [("atm", "atm_vit_b16"), ("ila", "ila_vit_b16"), ("tada", "tadaformer_b16")],
)
def test_weights_of_video_networks_have_that_of_their_code(source, row):
  with pytest.raises(ValueError, match="gelu was asked for, but the code of"):
    plan_conversion(row, {}, source=source, activation="gelu", **TINY)


def test_model_json_has_the_activation_and_the_pixels(tmp_path, capsys, tensors):
  named = {f"visual.{key}": value for key, value in tensors.items()}
  pixels = {"mean": [0.5, 0.25, 0.125], "std": [0.5, 0.5, 0.25]}
  config = json.dumps({**_OPEN_CLIP, "preprocess_cfg": pixels})
  (tmp_path / "open_clip_config.json").write_text(config)
  path, out = tmp_path / "open_clip_model.safetensors", tmp_path / "out"
  save_file(named, path)
  main(["vit_b16", str(path), str(out), *_FLAGS])
  assert "activation is gelu" in capsys.readouterr().out
  description = json.loads((out / "model.json").read_text())
  assert description["overrides"]["activation"] == "gelu"
  assert description["pixels"] == pixels
  assert inference.load_model(out).network.activation == "gelu"
  refused = ["--set", "activation=quick_gelu"]
  with pytest.raises(SystemExit):
    main(["vit_b16", str(path), str(tmp_path / "no"), *_FLAGS, *refused])
  assert "open_clip_config.json (quick_gelu) has gelu" in (capsys.readouterr().err)
  assert not (tmp_path / "no").exists()


def test_a_video_network_keeps_the_pixels_of_its_paper(tensors):
  given = ((0.5,) * 3, (0.5,) * 3)
  settings = {"pixels": (Setting(given, "preprocessor_config.json"),)}
  todo = _prepare(tensors, settings=settings)
  assert todo.pixels == given
  todo = _prepare(tensors, "tadaformer_b16", settings=settings, num_classes=3)
  assert todo.pixels[0] == pytest.approx((0.481, 0.458, 0.408), abs=1e-3)
  assert any("with which it is trained" in line for line in todo.notes)


def test_heads_and_epsilon_are_those_of_the_configuration():
  sizes = {**conversion_plans.TINY, "representation": None}
  network = temporal_jax.create_model("vit_b16_in21k", num_classes=3, **sizes)
  shapes = conversion_plans.target(network)
  zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, "f4"), shapes)
  tensors = convert_weights.to_torch(
    "vit_b16_in21k", zeros, source="huggingface_vit", **sizes
  )
  settings = {
    "epsilon": (Setting(1e-12, "config.json"),),
    "num_heads": (Setting(8, "config.json"),),
  }
  del sizes["num_heads"]
  todo = plan_conversion("vit_b16_in21k", tensors, settings=settings, **sizes)
  assert (todo.network.epsilon, todo.network.num_heads) == (1e-12, 8)
  assert not todo.assumed
  todo = plan_conversion("vit_b16_in21k", tensors, **sizes, num_heads=4)
  (line,) = todo.assumed
  assert line.startswith("the file does not state its epsilon: 1e-06 is assumed")
  assert any("does not state its pixels" in note for note in todo.notes)
