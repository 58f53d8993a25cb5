"""Video ResNets of other libraries: weights in, their answers, and back."""

import functools
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
import torch

import convert_weights
import temporal_jax
from convert_weights import SOURCES
from convert_weights.__main__ import main
from convert_weights.plan import plan_conversion
from tests.support import torch_mmaction2, torch_pytorchvideo, torch_video_resnets
from tests.support.torch_video_resnets import BETA, DEPTHS, WIDTH

_2D = {"stage_sizes": DEPTHS, "width": WIDTH}
_3D = {
  "stage_sizes": DEPTHS,
  "stem_width": WIDTH,
  "widths": tuple(WIDTH * 2**i for i in range(4)),
}
_TWO = {**_3D, "beta": BETA}


class Case(NamedTuple):
  """A network of a library, and ours.

  Attributes:
    source: Naming that is recognised.
    build: Makes the library's network.
    row: Name in the catalog.
    arguments: Arguments that make ours as small.
    implied: Arguments that the conversion adds.
  """

  source: str
  build: Any
  row: str
  arguments: Mapping[str, Any]
  implied: Mapping[str, Any] = MappingProxyType({})


_LINSPACE = {"slow_sampling": "linspace"}
_FRAMES = 8
CASES = {
  "torchvision-r3d": Case(
    "torchvision_video",
    functools.partial(torch_video_resnets.TorchvisionVideo, *["whole"] * 4),
    "r3d_18_torchvision",
    _3D,
  ),
  "torchvision-mc3": Case(
    "torchvision_video",
    functools.partial(torch_video_resnets.TorchvisionVideo, "whole", *["frames"] * 3),
    "mc3_18",
    _3D,
  ),
  "torchvision-r2plus1d": Case(
    "torchvision_video",
    functools.partial(torch_video_resnets.TorchvisionVideo, *["parts"] * 4),
    "r2plus1d_18_torchvision",
    _3D,
  ),
  "pyslowfast-slow": Case(
    "pyslowfast", torch_video_resnets.PySlowFast, "slowonly_50", _3D
  ),
  "pyslowfast-slowfast": Case(
    "pyslowfast",
    functools.partial(torch_video_resnets.PySlowFast, alpha=4, lateral_taps=7),
    "slowfast_50_8x8",
    _TWO,
    _LINSPACE,
  ),
  "pytorchvideo-slow": Case(
    "pytorchvideo", torch_pytorchvideo.OnePathway, "slowonly_50", _3D
  ),
  "pytorchvideo-slowfast": Case(
    "pytorchvideo", torch_pytorchvideo.SlowFast, "slowfast_50_8x8", _TWO, _LINSPACE
  ),
  "pytorchvideo-r2plus1d": Case(
    "pytorchvideo",
    functools.partial(torch_pytorchvideo.OnePathway, factorised=True),
    "r2plus1d_50_pytorchvideo",
    _3D,
  ),
  "mmaction2-tsn": Case(
    "mmaction2", torch_mmaction2.FrameRecognizer, "tsn_resnet50", _2D
  ),
  "mmaction2-tsn-basic": Case(
    "mmaction2",
    functools.partial(torch_mmaction2.FrameRecognizer, basic=True),
    "tsn_resnet18",
    _2D,
  ),
  "mmaction2-tsm": Case(
    "mmaction2",
    functools.partial(torch_mmaction2.FrameRecognizer, frames=_FRAMES),
    "tsm_resnet50",
    _2D,
  ),
  "mmaction2-tsm-of-101-layers": Case(
    "mmaction2",
    functools.partial(torch_mmaction2.FrameRecognizer, frames=_FRAMES, every=2),
    "tsm_resnet50",
    {**_2D, "temporal": "shift(every=2)"},
  ),
  "mmaction2-slowonly": Case(
    "mmaction2", torch_mmaction2.slow_only, "slowonly_50", _3D
  ),
  "mmaction2-slowfast": Case(
    "mmaction2",
    torch_mmaction2.SlowFast,
    "slowfast_50_4x16",
    _TWO,
    {"lateral_norm": False},
  ),
  "mmaction2-slowfast-with-norms": Case(
    "mmaction2",
    functools.partial(torch_mmaction2.SlowFast, alpha=4, lateral_taps=7, norm=True),
    "slowfast_50_8x8",
    _TWO,
  ),
  "mmaction2-r2plus1d": Case(
    "mmaction2", torch_mmaction2.r2plus1d, "r2plus1d_34_mmaction2", _3D
  ),
  "tsm": Case(
    "tsm",
    functools.partial(torch_mmaction2.ReleasedTsm, _FRAMES),
    "tsm_resnet50",
    _2D,
  ),
  "tsm-tsn": Case("tsm", torch_mmaction2.ReleasedTsm, "tsn_resnet50", _2D),
}


@functools.cache
def _theirs(name):
  """A library's network whose every value is moved, and its tensors."""
  torch.manual_seed(0)
  network = CASES[name].build().eval()
  with torch.no_grad():
    for key, value in network.state_dict().items():
      if value.is_floating_point():
        noise = 0.1 * torch.randn_like(value)
        value.add_(noise.abs() if "var" in key else noise)
  return network, {k: v.numpy() for k, v in network.state_dict().items()}


@functools.cache
def _converted(name):
  """Our variables, made of the tensors."""
  case, (_, tensors) = CASES[name], _theirs(name)
  return convert_weights.convert(case.row, tensors, **case.arguments)


@pytest.mark.parametrize("name", CASES)
def test_answers_are_theirs(name):
  case, (theirs, tensors) = CASES[name], _theirs(name)
  assert [s.name for s in convert_weights.registry.recognise(tensors)] == [case.source]
  plan = plan_conversion(case.row, tensors, **case.arguments)
  assert plan.mapping.new == {}
  assert plan.num_classes == torch_video_resnets.CLASSES
  assert plan.overrides == {**case.arguments, **case.implied}
  clip = np.random.default_rng(0).standard_normal((2, _FRAMES, 48, 40, 3), np.float32)
  with torch.no_grad():
    want = theirs(torch.tensor(clip).permute(0, 4, 1, 2, 3)).numpy()
  got, _ = jax.jit(plan.network.apply)(_converted(name), clip)
  assert np.linalg.norm(want) > 0.1
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("name", CASES)
def test_the_way_back_gives_their_tensors(name):
  case, (_, tensors) = CASES[name], _theirs(name)
  arguments = {**case.arguments, **case.implied}
  back = convert_weights.to_torch(
    case.row, _converted(name), source=case.source, **arguments
  )
  assert back.keys() == tensors.keys()
  for key, value in tensors.items():
    if key.endswith("num_batches_tracked"):
      continue
    # Variances of mmaction2's R(2+1)D hold an epsilon on the way.
    np.testing.assert_allclose(back[key], value, rtol=0, atol=1e-7, err_msg=key)


def test_an_argument_of_the_code_is_reported_unless_it_was_asked_for():
  _, tensors = _theirs("pytorchvideo-slowfast")
  plan = plan_conversion("slowfast_50_8x8", tensors, **_TWO)
  (line,) = [note for note in plan.notes if note.startswith("slow_sampling")]
  assert line == (
    "slow_sampling=linspace: the code spreads the slow pathway's frames over the clip."
  )
  asked = plan_conversion("slowfast_50_8x8", tensors, slow_sampling="stride", **_TWO)
  assert asked.overrides["slow_sampling"] == "stride"


@pytest.mark.parametrize(
  ("name", "mean"),
  [
    ("mmaction2-slowonly", (0.485, 0.456, 0.406)),
    ("pytorchvideo-slow", (0.45, 0.45, 0.45)),
    ("torchvision-mc3", (0.43216, 0.394666, 0.37645)),
  ],
)
def test_pixels_are_those_of_their_code(name, mean):
  case, (_, tensors) = CASES[name], _theirs(name)
  plan = plan_conversion(case.row, tensors, **case.arguments)
  assert tuple(plan.pixels[0]) == mean


@pytest.mark.parametrize(
  ("name", "row", "match"),
  [
    ("torchvision-r3d", "r3d_18", "These do: .*r3d_18_torchvision"),
    ("pytorchvideo-r2plus1d", "r2plus1d_50", "These do: .*r2plus1d_50_pytorchvideo"),
    ("mmaction2-tsm", "atm_resnet50", "does not take the weights of open-mmlab"),
    ("mmaction2-r2plus1d", "r2plus1d_18", "inspect FILE` lists those that do"),
  ],
)
def test_another_row_is_refused_in_one_sentence(name, row, match):
  _, tensors = _theirs(name)
  with pytest.raises(ValueError, match=match) as caught:
    plan_conversion(row, tensors)
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
  ("name", "tensor", "row"),
  [
    ("pyslowfast-slow", "s3.pathway0_nonlocal1.conv_out.weight", "slowonly_50"),
    (
      "mmaction2-slowonly",
      "backbone.layer2.0.non_local_block.g.conv.weight",
      "slowonly_50",
    ),
    ("tsm", "base_model.layer2.0.nl.theta.weight", "tsm_resnet50"),
  ],
)
def test_non_local_blocks_are_refused_in_one_sentence(name, tensor, row):
  _, tensors = _theirs(name)
  more = {**tensors, tensor: np.zeros((1, 1, 1, 1, 1), np.float32)}
  with pytest.raises(ValueError, match="non-local") as caught:
    plan_conversion(row, more, **CASES[name].arguments)
  assert "\n" not in str(caught.value)


def test_tsm_shifts_the_blocks_that_the_names_show():
  _, tensors = _theirs("mmaction2-tsm-of-101-layers")
  with pytest.raises(ValueError, match=r"lacks.*layer1\.1\.conv1\.conv\.net\.weight"):
    plan_conversion("tsm_resnet50", tensors, **_2D)


@pytest.mark.parametrize(
  ("source", "row"),
  [
    ("torchvision_video", "r3d_18"),
    ("torchvision_video", "r2plus1d_18"),
    ("torchvision_video", "slowonly_50"),
    ("pytorchvideo", "r2plus1d_50"),
    ("pytorchvideo", "r3d_50"),
    ("pytorchvideo", "slowfast_50_8x8_tada"),
    ("pyslowfast", "r2plus1d_50_pytorchvideo"),
    ("mmaction2", "r2plus1d_18_torchvision"),
    ("mmaction2", "tada2d_resnet50"),
    ("mmaction2", "aggregation_resnet50"),
    ("tsm", "slowonly_50"),
    ("tada", "r2plus1d_50_pytorchvideo"),
    ("tada", "r2plus1d_34_mmaction2"),
    ("tada", "r2plus1d_18_torchvision"),
  ],
)
def test_takes_no_network_of_another_library(source, row):
  network = temporal_jax.create_model(row, num_classes=5)
  assert not SOURCES[source].takes(network)


@pytest.mark.parametrize(
  ("name", "leaf", "change"),
  [
    ("mmaction2-slowfast", "params/head/kernel", "move_channels(places=-128)"),
    ("mmaction2-r2plus1d", "batch_stats/stem/norm/var", "add(amount=0.00099)"),
  ],
)
def test_the_command_names_changes_of_values(tmp_path, name, leaf, change):
  case, (_, tensors) = CASES[name], _theirs(name)
  file, out = tmp_path / "weights.pth", tmp_path / "out"
  torch.save({"state_dict": {k: torch.tensor(v) for k, v in tensors.items()}}, file)
  given = [f"--set={key}={json.dumps(value)}" for key, value in case.arguments.items()]
  main([case.row, str(file), str(out), *given])
  description = json.loads((out / "model.json").read_text())
  assert description["report"]["used"][leaf]["rule"].endswith(f"; {change}")
