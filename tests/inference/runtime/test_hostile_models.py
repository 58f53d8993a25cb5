"""Whatever a model's directory holds, one error names the file and field."""

import copy
import gc
import json
import shutil
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from temporal_jax import cli, inference
from temporal_jax.saved_networks import variables as saved_variables
from tests.support import hostile_models as hostile

FIELD_CASES = list(hostile.field_cases())
SECONDS = 5.0  # Refused in some milliseconds; tracing takes longer.


@pytest.fixture(scope="module")
def variables():
  overrides = hostile.DESCRIPTION["overrides"]
  network = temporal_jax.create_model("resnet18", num_classes=2, **overrides)
  clip = jnp.zeros((1, *hostile.DESCRIPTION["clip_shape"]))
  return jax.jit(network.init)(jax.random.key(0), clip)


@pytest.fixture(scope="module")
def good(tmp_path_factory, variables):
  directory = tmp_path_factory.mktemp("models") / "good"
  inference.save_model(directory, variables, hostile.DESCRIPTION)
  assert inference.load_model(directory).class_names == ("falling", "waving")
  return directory


@pytest.fixture
def directory(good, tmp_path):
  return shutil.copytree(good, tmp_path / "model")


def _refused(directory, words, kinds=(ValueError,)):
  began = time.monotonic()
  with pytest.raises(kinds) as caught:
    inference.load_model(directory)
  message = str(caught.value)
  assert words in message, message
  assert str(directory) in message, message
  assert len(message) < 3000, message
  assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize(
  ("words", "change"),
  [case[1:] for case in FIELD_CASES],
  ids=[case[0] for case in FIELD_CASES],
)
def test_a_wrong_field_is_named(directory, words, change):
  description = copy.deepcopy(hostile.DESCRIPTION)
  change(description)
  (directory / "model.json").write_text(json.dumps(description))
  _refused(directory, words)


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_what_is_no_json_is_refused(directory, name):
  content, words = hostile.TEXTS[name]
  (directory / "model.json").write_bytes(content)
  _refused(directory, words)


@pytest.mark.parametrize("name", hostile.TREES)
def test_variables_of_another_network_are_refused(directory, variables, name):
  words, change = hostile.TREES[name]
  hostile.replace_variables(directory, change(variables))
  _refused(directory, words)


def _files(directory):
  return sorted(
    path.relative_to(directory) for path in directory.rglob("*") if path.is_file()
  )


# Orbax leaves tasks of a closed event loop where it fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("damage", hostile.FILE_DAMAGES)
def test_damaged_files_are_refused_or_change_nothing(directory, variables, damage):
  want = inference.digest(variables)
  assert len(_files(directory)) == 3
  for number, file in enumerate(_files(directory)):
    copied = shutil.copytree(directory, directory.parent / str(number))
    damage(copied / file)
    message = ""
    try:
      saved = inference.load_model(copied)
    except (FileNotFoundError, ValueError) as error:
      message = str(error)
    if message:
      assert str(copied) in message
      assert len(message) < 3000
    elif damage is not hostile.flip:
      # Orbax needs neither its sharding nor its own metadata.
      assert inference.digest(saved.variables) == want, file
  gc.collect()


def test_unknown_fields_of_an_older_version_are_named(directory, caplog):
  description = {**hostile.DESCRIPTION, "sound": 1}
  del description["format_version"]
  (directory / "model.json").write_text(json.dumps(description))
  assert inference.load_model(directory).name == "resnet18"
  assert "unknown fields ['sound']" in caplog.text
  description["format_version"] = 1
  (directory / "model.json").write_text(json.dumps(description))
  _refused(directory, "unknown fields ['sound']")


def test_nothing_is_written_that_could_not_be_read(tmp_path, variables):
  for change, words in (
    ({"num_classes": 3}, "class_names must name the 3 classes"),
    ({"sound": 1}, "unknown fields"),
    ({"notes": object()}, "cannot be written as JSON"),
    ({"class_names": None, "num_classes": 3}, "do not fit resnet18"),
  ):
    description = {**hostile.DESCRIPTION, **change}
    with pytest.raises(ValueError, match=words):
      inference.save_model(tmp_path / "model", variables, description)
  assert not list(tmp_path.iterdir())


def test_a_digest_that_lies_ends_in_an_error_too(directory, variables):
  # The shapes are those of a network of other blocks, and the digest says that
  # they were compared.
  path = directory / "model.json"
  description = json.loads(path.read_text())
  description["overrides"]["stage_sizes"] = [2]
  description["leaves"] = saved_variables.digest_of_leaves(description, variables)
  path.write_text(json.dumps(description))
  saved = inference.load_model(directory)
  clips = np.zeros((1, *saved.clip_shape), np.uint8)
  with pytest.raises(ValueError, match=r"resnet18 of model\.json does not take"):
    inference.Classifier(saved, batch_size=1)(clips)


def _command(words, capsys):
  """Runs a command that is refused; returns its message."""
  capsys.readouterr()
  assert cli.main(list(map(str, words))) == 2
  out = capsys.readouterr()
  # `serve` first prints that it loads.
  first, _, error = out.err.rpartition("temporal-jax ")
  assert first in ("", f"Loading {words[1]} ...\n")
  assert error.startswith(f"{words[0]}: ")
  assert len(error.splitlines()) == 1
  return out.err


@pytest.mark.parametrize("which", ["field", "text", "variables"])
def test_commands_say_one_line(directory, variables, capsys, tmp_path, which):
  words = str(directory)
  if which == "field":
    description = copy.deepcopy(hostile.DESCRIPTION)
    description["protocol"]["num_clips"] = hostile.HUGE
    (directory / "model.json").write_text(json.dumps(description))
    words = "protocol.num_clips must be an integer from 1 to 1000, got 10000"
  elif which == "text":
    (directory / "model.json").write_bytes(hostile.TEXTS["deep-lists"][0])
  else:
    change = hostile.TREES["nan"][1]
    hostile.replace_variables(directory, change(variables))
  video = tmp_path / "video.mp4"
  video.write_bytes(b"never read")
  drawn = ("--kind", "gradcam", "--png", tmp_path / "out.png")
  for command in (
    ("predict", video, "--model", directory),
    ("export", tmp_path / "out", "--model", directory, "--format", "savable"),
    ("serve", directory, "--port", 0),
    ("stream", video, "--model", directory),
    ("visualize", video, "--model", directory, *drawn),
  ):
    assert words in _command(command, capsys)
  assert not (tmp_path / "out").exists()


_CHILD = """
import resource, sys, time
import numpy as np
from temporal_jax import evaluation, inference
inference.load_model(sys.argv[1])
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 2**27
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sys.argv[2:]:
  is_scores = path.endswith("npz")
  read = evaluation.load_scores if is_scores else inference.load_model
  began = time.monotonic()
  try:
    read(path)
  except ValueError as error:
    assert path in str(error) and "bytes in" in str(error), error
    assert time.monotonic() - began < 5
    print("refused", path)
"""


def test_what_unpacks_to_the_whole_memory_is_not_read(good, tmp_path):
  # 128 MiB more than the process has are a limit that each would break.
  tree = shutil.copytree(good, tmp_path / "tree")
  hostile.replace_variables(tree, {"params": {"a": np.zeros((2**27,), np.float16)}})
  scores = tmp_path / "scores.npz"
  np.savez_compressed(
    scores,
    ids=np.array(["a"] * 2**17),
    labels=np.zeros(2**17, int),
    scores=np.zeros((2**17, 2**9), np.float32),
    class_names=np.array([str(number) for number in range(2**9)]),
    protocol=np.array("{}"),
  )
  assert scores.stat().st_size < 2_000_000
  done = subprocess.run(
    [sys.executable, "-c", _CHILD, good, tree, scores],
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 0, done.stderr
  assert done.stdout.splitlines() == [f"refused {tree}", f"refused {scores}"]
