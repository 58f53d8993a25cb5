"""The Dockerfiles: their form, and their steps of pip in a new environment."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from temporal_jax.data.video.encoding import encode_mp4
from tests.conftest import make_frames

ROOT = pathlib.Path(__file__).parents[1]
NAMES = ("Dockerfile", "Dockerfile.cuda")
_HOME = "/opt/temporal_jax"


def _instructions(name):
  """Returns the instructions of a file: [(word, text), ...]."""
  lines = (ROOT / name).read_text().splitlines()
  text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
  steps = text.replace("\\\n", " ").splitlines()
  return [tuple(step.split(None, 1)) for step in steps if step.strip()]


def _all(name, word):
  return [text for found, text in _instructions(name) if found == word]


@pytest.mark.parametrize("name", NAMES)
def test_the_image_is_small_and_its_user_is_not_root(name):
  known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
  assert {word for word, _ in _instructions(name)} == known
  build, final = (text.split() for text in _all(name, "FROM"))
  assert build[1:] == ["AS", "build"]
  # No host of a registry: the builder's own is asked.
  assert re.fullmatch(r"python:3\.1[1-3]-slim", build[0])
  assert final == build[:1]
  *_, last = (i for i, step in enumerate(_instructions(name)) if step[0] == "FROM")
  stage = _instructions(name)[last:]
  assert [text for word, text in stage if word == "COPY"] == [
    f"--from=build {_HOME} {_HOME}"
  ]
  (user,) = _all(name, "USER")
  assert user == "user"
  assert any("useradd" in text and user in text for text in _all(name, "RUN"))
  assert json.loads(_all(name, "ENTRYPOINT")[0]) == ["temporal-jax"]
  assert f"PATH={_HOME}/bin:$PATH" in _all(name, "ENV")[0].split()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_copied_is_there_and_sent(name):
  ignored = (ROOT / ".dockerignore").read_text().split()
  for source in _sources(name):
    assert (ROOT / source).exists(), source
    assert f"!{source}" in ignored


def test_the_files_differ_in_jax():
  ours, cuda = (_instructions(name) for name in NAMES)
  (pair,) = ((a, b) for a, b in zip(ours, cuda, strict=True) if a != b)
  assert pair[1][1] == pair[0][1] + ' "jax[cuda12]"'


def _sources(name):
  """Returns the files that are copied from the repository."""
  copies = [text.split() for text in _all(name, "COPY") if "--from" not in text]
  return [source for *sources, _ in copies for source in sources]


def _build(name, folder, *more):
  """Runs the first RUN of a file in a folder, and returns the environment.

  Args:
    name: The file.
    folder: A new folder, for the environment and what the file copies.
    more: Further arguments of pip.
  """
  source, home = folder / "source", folder / "home"
  source.mkdir(parents=True)
  for entry in _sources(name):
    if (ROOT / entry).is_dir():
      ignore = shutil.ignore_patterns("__pycache__")
      shutil.copytree(ROOT / entry, source / entry, symlinks=True, ignore=ignore)
    else:
      shutil.copy(ROOT / entry, source)
  steps = _all(name, "RUN")[0].split("&&")
  assert len(steps) == 2
  environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
  for step in steps:
    program, *words = shlex.split(step.replace(_HOME, str(home)))
    program = sys.executable if program == "python" else program
    words += more if program.endswith("pip") else ()
    subprocess.run([program, *words], cwd=source, env=environment, check=True)
  return home, environment


@pytest.mark.slow
def test_the_steps_make_an_environment_that_runs(tmp_path):
  home, environment = _build("Dockerfile", tmp_path / "image", "--quiet")
  shutil.rmtree(tmp_path / "image" / "source")
  (tmp_path / "film.mp4").write_bytes(encode_mp4(make_frames(12, size=64), fps=12))

  def run(*words):
    return subprocess.run(
      [home / "bin" / "temporal-jax", *words],
      cwd=tmp_path,
      env={**environment, "HOME": str(tmp_path)},
      capture_output=True,
      text=True,
      check=False,
    )

  done = run("predict", "film.mp4", "--model", "camera_motion")
  assert done.returncode == 0, done.stderr
  assert "zoom in" in done.stdout
  done = run("train", "--config=finetune", "--workdir=run", "--config.data.root=none")
  assert done.returncode == 1
  assert "none" in done.stderr


@pytest.mark.slow
def test_the_steps_for_cuda_can_be_resolved(tmp_path):
  report = tmp_path / "report.json"
  _build("Dockerfile.cuda", tmp_path / "image", "--dry-run", f"--report={report}", "-q")
  found = json.loads(report.read_text())["install"]
  names = {entry["metadata"]["name"].lower() for entry in found}
  assert {"jax-cuda12-plugin", "nvidia-cudnn-cu12", "temporal_jax"} <= names
