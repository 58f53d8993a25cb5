"""The package as pip installs it: its files, and training from anywhere."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[1]
_BUILD = "from setuptools import build_meta; build_meta.build_{kind}({out!r})"


def _build(kind, source, out):
  """Builds an sdist or a wheel with the setuptools of the tests."""
  code = _BUILD.format(kind=kind, out=str(out))
  done = subprocess.run(
    [sys.executable, "-c", code],
    cwd=source,
    capture_output=True,
    text=True,
    check=False,
  )
  assert not done.returncode, done.stderr
  return max(out.iterdir(), key=lambda file: file.stat().st_mtime_ns)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
  """A wheel built of the clone's files, and one of an sdist of them."""
  folder = tmp_path_factory.mktemp("wheels")
  clone = folder / "clone"
  for name in ("configs", "convert_weights", "temporal_jax"):
    shutil.copytree(
      ROOT / name,
      clone / name,
      symlinks=True,
      ignore=shutil.ignore_patterns("__pycache__"),
    )
  for name in ("LICENSE", "README.md", "pyproject.toml"):
    shutil.copy(ROOT / name, clone)
  outs = [folder / name for name in ("sdist", "of_sdist", "of_clone")]
  for out in outs:
    out.mkdir()
  with tarfile.open(_build("sdist", clone, outs[0])) as packed:
    packed.extractall(folder, filter="data")
  (unpacked,) = folder.glob("temporal_jax-*")
  return _build("wheel", clone, outs[2]), _build("wheel", unpacked, outs[1])


@pytest.fixture(scope="module")
def installed(wheels, tmp_path_factory):
  """A new environment with the wheel; other packages are those of the tests."""
  folder = tmp_path_factory.mktemp("installed")
  subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
  scripts = folder / ("Scripts" if os.name == "nt" else "bin")
  pip = [sys.executable, "-m", "pip", "--python", scripts / "python"]
  subprocess.run(
    [*pip, "install", "--quiet", "--no-deps", "--no-index", wheels[1]], check=True
  )
  (site,) = folder.rglob("site-packages")
  (site / "tests.pth").write_text(sysconfig.get_path("purelib"))
  return scripts


def _run(installed, folder, *words):
  environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
  return subprocess.run(
    [installed / "temporal-jax", *words],
    cwd=folder,
    env=environment,
    capture_output=True,
    text=True,
    check=False,
  )


def test_the_wheel_holds_every_file_once(wheels):
  names = [zipfile.ZipFile(wheel).namelist() for wheel in wheels]
  assert sorted(names[0]) == sorted(names[1])
  assert len(set(names[0])) == len(names[0])
  packed = {name for name in names[0] if ".dist-info/" not in name}
  assert {name.split("/")[0] for name in packed} == {"convert_weights", "temporal_jax"}
  tracked = subprocess.run(
    ["git", "ls-files", "configs", "convert_weights", "temporal_jax"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
  ).stdout.split("\n")
  wanted = {name for name in tracked if name and name != "temporal_jax/configs"}
  assert packed == {
    f"temporal_jax/{name}" if name.startswith("configs/") else name for name in wanted
  }


def test_configs_are_found_from_anywhere(installed, tmp_path):
  listed = _run(installed, tmp_path, "configs", "atm:vit_b16_*")
  assert listed.stdout.splitlines()[0].split()[0] == "atm:vit_b16_k400"
  (tmp_path / "mine.py").write_text(
    "from temporal_jax.configs import finetune\n"
    "def get_config(steps='0'):\n"
    "  config = finetune.get_config()\n"
    "  config.save_every = -int(steps)\n"
    "  return config\n"
  )
  for words in (
    ["--config=finetune", "--config.save_every=-5"],
    ["--config=mine.py:5"],
  ):
    refused = _run(installed, tmp_path, "train", "--workdir=run", *words)
    assert refused.stderr.strip() == (
      "temporal-jax train: save_every must be in [1, 2147483647], got -5."
    )
  assert not (tmp_path / "run").exists()


@pytest.mark.slow  # It draws the videos of the demo.
def test_trains_from_anywhere(installed, tmp_path):
  done = _run(
    installed,
    tmp_path,
    "train",
    "--config=camera_motion",
    "--workdir=run",
    "--config.num_steps=2",
    "--config.optim.warmup_steps=0",
    "--config.batch_size=8",
    "--config.eval_every=0",
  )
  assert not done.returncode, done.stderr
  assert "Report: run/report.json" in done.stdout
  assert {"config.json", "model.json", "report.json"} <= {
    file.name for file in (tmp_path / "run").iterdir()
  }
