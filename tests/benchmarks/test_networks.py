"""The benchmark of networks: complete weights, a small row from end to end."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from benchmarks import networks  # noqa: E402
from benchmarks.cases.networks import (  # noqa: E402
  LARGE,
  NETWORKS,
  find_cases,
  find_clip_shape,
)
from benchmarks.reference import hub  # noqa: E402
from convert_weights.apply import apply_rules  # noqa: E402
from temporal_jax import create_model  # noqa: E402
from temporal_jax.models import find_model  # noqa: E402

CASES = {case.name: case for case in (*NETWORKS, *LARGE)}
# From the hub, folded frames, three dimensions, and a transformer of our own.
FAST = ("resnet50", "tsm_resnet50", "slowonly_50", "atm_vit_b16")


@pytest.mark.parametrize(
  "name",
  [
    name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
    for name in CASES
  ],
)
def test_every_weight_has_its_counterpart(name):
  case = CASES[name]
  with torch.device("meta"):
    network = case.theirs()
  model = create_model(case.key, **case.kwargs)
  shape = (1, *find_model(case.key).clip_shape, 3)
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  target = jax.eval_shape(model.init, jax.random.key(0), clip)
  tensors = {
    key: np.broadcast_to(np.float32(0), tuple(tensor.shape))
    for key, tensor in network.state_dict().items()
  }
  apply_rules(case.rules, tensors, target)  # Raises if anything is left.


def _tiny(**kwargs):
  """A ResNet of two blocks in place of the one of 18 layers."""
  config = transformers.ResNetConfig(
    layer_type="basic",
    depths=[1, 1],
    hidden_sizes=[8, 16],
    embedding_size=8,
    num_labels=5,
  )

  def theirs():
    network = transformers.ResNetForImageClassification(config)
    return hub.Frames(network, "logits")

  kwargs = {"num_classes": 5, "stage_sizes": (1, 1), "width": 8, **kwargs}
  return CASES["resnet18"]._replace(theirs=theirs, kwargs=kwargs)


def test_a_network_is_measured():
  result = networks.measure(_tiny(), seconds=0.01, clip_shape=(2, 24, 32))
  assert result["difference"] < 1e-5
  assert result["gradient_difference"] < 1e-4
  for kind in ("inference", "folded", "training"):
    assert result[kind]["ratio"] > 0
  assert result["clip"] == (1, 2, 24, 32, 3)
  assert "transformers" in result["torch"]
  assert result["share_of_matmul"] > 0
  assert result["share_of_peak"] is None
  cells = networks.result_cells(result)
  assert cells[2] == f"{result['inference']['ours']:.2f}"
  assert "-" not in cells[:-1]


@pytest.mark.slow
def test_bfloat16_is_measured_too():
  settings = {"seconds": 0.01, "clip_shape": (2, 24, 32)}
  result = networks.measure(_tiny(), "bfloat16", **settings)
  assert 1e-5 < result["difference"] < 0.1


def test_only_inference_may_be_measured():
  settings = {"seconds": 0.01, "clip_shape": (2, 24, 32), "train": False}
  result = networks.measure(_tiny(), **settings)
  assert result["training"] is result["gradient_difference"] is None
  assert networks.result_cells(result).count("-") == 6
  with pytest.raises(ValueError, match="differ"):
    networks.measure(_tiny(stem="7x7"), **settings)


def test_cases_have_the_order_of_the_patterns():
  names = [case.name for case in find_cases(["vit_b16", "resnet*", "vit_*16"])]
  assert names == ["vit_b16", "resnet18", "resnet50"]
  among = ("resnet18", "vit_l14")
  assert [case.name for case in find_cases(None, among)] == ["resnet18"]
  assert [case.name for case in find_cases(["vit_l14"], among)] == ["vit_l14"]
  for pattern in ("vit_b33", "resnet50"):
    with pytest.raises(ValueError, match=f"no network fits '{pattern}'"):
      find_cases([pattern], among)
  assert find_cases([]) == [*NETWORKS]


def test_clips_have_the_catalogs_size_or_another():
  assert find_clip_shape("vit_b16") == find_model("vit_b16").clip_shape
  assert find_clip_shape("vit_b16", frames=2) == (2, 224, 224)
  assert find_clip_shape("vit_b16", side=32) == (8, 32, 32)


def test_unknown_patterns_are_refused(capsys):
  with pytest.raises(SystemExit, match="2"):
    networks.main(["vit_b33"])
  assert "no network fits 'vit_b33'" in capsys.readouterr().err


def test_compiles_from_shapes(tmp_path, capsys):
  report = tmp_path / "report.json"
  networks.main(["--compile-only", "resnet18", "--frames", "2", "--json", str(report)])
  (row,) = json.loads(report.read_text())["rows"]
  assert row["clip"] == [1, 2, 224, 224, 3]
  assert row["compile_seconds"]["inference"] > 0
  header, rule, line = capsys.readouterr().out.splitlines()
  assert len(header) == len(rule) == len(line)
  assert "resnet18" in line


def test_failures_are_reported(capsys):
  with pytest.raises(SystemExit, match="1"):
    networks.main(["--compile-only", "vit_b33"])
  assert "vit_b33 float32 failed: unknown model" in capsys.readouterr().out
