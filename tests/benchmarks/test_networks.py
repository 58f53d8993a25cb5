"""The benchmark of networks: complete weights, a small row from end to end."""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from benchmarks import networks as models  # noqa: E402
from benchmarks.cases import networks as model_rows  # noqa: E402
from benchmarks.reference import hub as hub_networks  # noqa: E402
from benchmarks.shared import print_results as model_table  # noqa: E402
from convert_weights.conversion import fill  # noqa: E402
from temporal_jax import create_model  # noqa: E402
from temporal_jax.models import find_model  # noqa: E402

ROWS = {row.name: row for row in model_rows.NETWORKS}
# Of the hub, folded frames, three dimensions, and a transformer of our own.
FAST = ("resnet50", "tsm_resnet50", "slowonly_50", "atm_vit_b16")


@pytest.mark.parametrize(
  "name",
  [
    name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
    for name in ROWS
  ],
)
def test_every_weight_has_its_counterpart(name):
  row = ROWS[name]
  with torch.device("meta"):
    network = row.theirs()
  model = create_model(row.key, **row.kwargs)
  shape = (1, *find_model(row.key).clip_shape, 3)
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  target = jax.eval_shape(model.init, jax.random.key(0), clip)
  tensors = {
    key: np.broadcast_to(np.float32(0), tuple(tensor.shape))
    for key, tensor in network.state_dict().items()
  }
  fill(row.rules, tensors, target)  # Raises if anything is left.


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
    return hub_networks.Frames(network, "logits")

  form = {"num_classes": 5, "stage_sizes": (1, 1), "width": 8}
  return ROWS["resnet18"]._replace(theirs=theirs, kwargs={**form, **kwargs})


def test_a_network_is_measured():
  result = models.measure(_tiny(), seconds=0.01, clip_shape=(2, 24, 32))
  assert result["difference"] < 1e-5
  assert result["gradient_difference"] < 1e-4
  for kind in ("inference", "folded", "training"):
    assert result[kind]["ratio"] > 0
  assert result["clip"] == (1, 2, 24, 32, 3)
  assert "transformers" in result["torch"]
  assert result["share_of_matmul"] > 0


@pytest.mark.slow
def test_bfloat16_is_measured_too():
  settings = {"seconds": 0.01, "clip_shape": (2, 24, 32)}
  result = models.measure(_tiny(), "bfloat16", **settings)
  assert 1e-5 < result["difference"] < 0.1


def test_inference_may_be_measured_alone():
  settings = {"seconds": 0.01, "clip_shape": (2, 24, 32), "train": False}
  result = models.measure(_tiny(), **settings)
  assert result["training"] is result["gradient_difference"] is None
  header, _ = model_table.HEADER.splitlines()
  assert len(model_table.line(result)) == len(header)
  with pytest.raises(ValueError, match="differ"):
    models.measure(_tiny(stem="7x7"), **settings)


def _run(monkeypatch, *arguments):
  monkeypatch.setattr(sys, "argv", ["models", *arguments])
  models.main()


def test_compiles_of_shapes_alone(monkeypatch, tmp_path, capsys):
  report = tmp_path / "report.json"
  _run(
    monkeypatch,
    *("--compile-only", "resnet18", "--frames", "2"),
    *("--json", str(report)),
  )
  (row,) = json.loads(report.read_text())["rows"]
  assert row["clip"] == [1, 2, 224, 224, 3]
  assert row["compile_seconds"]["inference"] > 0
  assert "resnet18" in capsys.readouterr().out


def test_what_fails_is_told_in_the_end(monkeypatch, capsys):
  with pytest.raises(SystemExit, match="1"):
    _run(monkeypatch, "--compile-only", "vit_b33")
  assert "failed: unknown model" in capsys.readouterr().out
