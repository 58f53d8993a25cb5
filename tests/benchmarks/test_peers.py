"""The comparison with other libraries: small networks from end to end."""

import json
import subprocess
import sys

import jax
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from benchmarks import networks, peers  # noqa: E402
from benchmarks.cases.networks import find_cases  # noqa: E402
from benchmarks.peers_parts import processes, supplement, torch_side  # noqa: E402
from benchmarks.shared import network_sides  # noqa: E402
from tests.support import tiny_peers  # noqa: E402

EAGER = ("eager",)


def test_both_sides_read_the_labels():
  case, clip_shape = tiny_peers.xclip()
  found = networks.measure(case, seconds=0.0, clip_shape=clip_shape, train=False)
  assert found["difference"] < 1e-5
  others = case._replace(labels=case.labels[::-1])
  with pytest.raises(ValueError, match="differ"):
    networks.measure(others, seconds=0.0, clip_shape=clip_shape, train=False)


@pytest.fixture(scope="module")
def speed():
  """A VideoMAE's row where torch.compile finds no compiler."""

  def fail(network):
    raise RuntimeError("No working C++ compiler found\nand more lines")

  case, clip_shape = tiny_peers.videomae()
  with pytest.MonkeyPatch.context() as patch, jax.numpy_dtype_promotion("standard"):
    patch.setattr(torch, "compile", fail)
    return peers.measure_speed(case, seconds=0.0, clip_shape=clip_shape)


def test_inference_and_training_are_measured(speed):
  _, clip_shape = tiny_peers.videomae()
  assert speed["clip"] == (1, *clip_shape, 3)
  for work, key in (("inference", "inference"), ("training", "step")):
    found = speed[work]["eager"]
    assert found["clip"] == speed["clip"]
    assert found["difference"] < 1e-4
    assert found[key]["ratio"] > 0
    assert found["torch"].startswith("eager transformers VideoMAE")


def test_a_mode_that_fails_is_named(speed):
  assert speed["inference"].keys() == speed["training"].keys() == {"eager"}
  assert speed["errors"] == {
    "compiled inference": "No working C++ compiler found",
    "compiled training": "No working C++ compiler found",
  }


@pytest.mark.slow  # Six processes that import transformers.
@pytest.mark.parametrize("build", [tiny_peers.videomae, tiny_peers.xclip])
def test_processes_answer_the_same(build):
  case, clip_shape = build()
  row = processes.measure(case, turns=1, modes=EAGER, clip_shape=clip_shape)
  assert row["difference"] < 1e-4
  assert row["errors"] == {}
  for times in row["first_answer"].values():
    assert min(*times["first"], *times["second"]) > 0
  for peaks in row["peak_bytes"].values():
    assert peaks.keys() == {"ours", "eager"}
    assert min(peaks.values()) > 2**26


def test_weights_of_transformers_are_read_again(tmp_path):
  case, (frames, side, _) = tiny_peers.xclip()
  network = network_sides.build(case).eval()
  pixels = {"mean": [0.5, 0.4, 0.3], "std": [0.1, 0.2, 0.3]}
  torch_side.save(tmp_path / "saved", network, pixels)
  again, about = torch_side.load(tmp_path / "saved")
  assert {name: about[name] for name in pixels} == pixels
  clip = torch.randn(1, frames, 3, side, side)
  with torch.no_grad():
    assert torch.equal(again.eval()(clip), network(clip))


def test_a_process_that_fails_is_named_by_its_last_line(tmp_path):
  with pytest.raises(ValueError, match=r"^NameError: name 'missing' is not defined"):
    processes._peak_bytes(["-c", "missing"], tmp_path)
  assert processes._peak_bytes(["-c", "b'1' * 2**26"], tmp_path) > 2**26


@pytest.mark.slow
def test_no_process_has_both_libraries():
  for name, other in (("our_side", "torch"), ("torch_side", "jax")):
    code = f"""
import sys
import benchmarks.peers_parts.{name}
raise SystemExit("{other}" in sys.modules)
"""
    assert subprocess.call([sys.executable, "-c", code]) == 0


def _method(**changes):
  kwargs = {"width": 64, "depth": 1, "num_heads": 1}
  return supplement.X_VIT._replace(
    **{"clip_shape": (2, 32, 32), "kwargs": kwargs, **changes}
  )


def test_videos_per_second_are_in_proportion_to_views():
  one, more = _method(views=1), _method(views=400, printed=3.0)
  row = supplement.measure(more, seconds=0.0, baseline=one)
  assert row["printed_ratio"] == 0.25
  assert row["ratio"] < 0.25  # One of 400, and a busy machine.
  single = supplement.measure(one, seconds=0.0, baseline=one)
  assert row["multiply_adds"] == 400 * single["multiply_adds"] > 0


def test_methods_that_the_catalog_lacks_have_the_papers_figure_only():
  row = supplement.measure(supplement.Method("TEA", 2.4), seconds=0.0)
  assert row == {"name": "TEA", "printed_ratio": pytest.approx(0.2)}


def test_the_table_is_complete():
  printed = {method.name: method.printed for method in supplement.METHODS}
  assert len(printed) == 7
  assert printed["X-ViT"] == 12
  assert {m.name for m in supplement.METHODS if m.network is None} == {
    "TEA",
    "I3D-NL ResNet-101",
  }
  assert [case.name for case in find_cases(peers.PEERS)] == [*peers.PEERS]


def test_rows_are_printed_and_written(speed, monkeypatch, tmp_path, capsys):
  monkeypatch.setattr(peers, "measure_speed", lambda *args, **kwargs: speed)

  def refuse(*args, **kwargs):
    raise ValueError("probabilities differ")

  monkeypatch.setattr(processes, "measure", refuse)
  monkeypatch.setattr(supplement, "METHODS", (supplement.Method("TEA", 2.4),))
  file = tmp_path / "peers.json"
  with pytest.raises(SystemExit, match="1"):
    peers.main(["videomae_b16", "--json", str(file)])
  printed = capsys.readouterr().out
  assert "videomae_b16, compiled inference failed: No working" in printed
  assert "videomae_b16, processes failed: probabilities differ" in printed
  assert printed.count(" eager |") == 2
  report = json.loads(file.read_text())
  assert report["speed"][0]["clip"] == [*speed["clip"]]
  assert report["supplement"] == [{"name": "TEA", "printed_ratio": 2.4 / 12}]


def test_the_same_command_goes_on(monkeypatch, tmp_path):
  measured = []

  def measure(method, *, seconds):
    measured.append(method.name)
    return {"name": method.name, "printed_ratio": seconds}

  def run(names, commit="abc", word="one", processor="a processor"):
    measured.clear()
    rows = tuple(supplement.Method(name, 1.0) for name in names)
    now = {"commit": commit, "command": word}
    monkeypatch.setattr(supplement, "METHODS", rows)
    monkeypatch.setattr(peers.provenance, "describe", lambda: now)
    about = {"processor": processor}
    monkeypatch.setattr(peers.machine, "describe", lambda: about)
    peers.main(["--parts", "supplement", "--json", str(tmp_path / "peers.json")])
    report = json.loads((tmp_path / "peers.json").read_text())
    assert [row["name"] for row in report["supplement"]] == names
    return measured

  monkeypatch.setattr(supplement, "measure", measure)
  names = ["TEA", "SlowFast", "X-ViT"]
  assert run(names[:2]) == ["TEA", "SlowFast"]
  assert run(names) == ["X-ViT"]
  assert run(names, word="another") == names
  assert run(names, commit="def") == names
  assert run(names, commit="def") == []
  assert run(names, commit="def", processor="another") == names
  for commit in ("def+", "unknown"):
    for _ in range(2):
      assert run(names, commit=commit) == names


def test_a_row_with_an_error_is_measured_again():
  now = {"measured": {"commit": "abc", "command": "one"}, "machine": {}}
  failed, whole = {"name": "a", "errors": {"compiled": "no"}}, {"name": "b"}
  kept = peers._kept({**now, "speed": [failed, whole]}, now)
  assert kept == {("speed", "b"): whole}


def test_our_own_failure_is_not_shown_as_torchs(monkeypatch):
  def fail(*args, **kwargs):
    raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED")

  case, clip_shape = tiny_peers.videomae()
  monkeypatch.setattr(networks, "measure", fail)
  with pytest.raises(jax.errors.JaxRuntimeError):
    peers.measure_speed(case, seconds=0.0, clip_shape=clip_shape)


def test_a_file_that_is_not_json_is_refused(tmp_path, capsys):
  file = tmp_path / "peers.json"
  file.write_text('{"half": ')
  with pytest.raises(SystemExit, match="2"):
    peers.main(["--json", str(file)])
  assert "peers.json is no JSON file" in capsys.readouterr().err
  assert file.read_text() == '{"half": '


def test_networks_without_a_peer_are_refused(capsys):
  with pytest.raises(SystemExit, match="2"):
    peers.main(["resnet50"])
  assert "no network fits 'resnet50'" in capsys.readouterr().err
