"""Configs are found and listed by name."""

import importlib
import pathlib
import subprocess
import sys

import pytest

from temporal_jax import config_files
from temporal_jax.cli import main
from temporal_jax.experiment import RunSettings
from tests.support import tiny_config

ROOT = pathlib.Path(__file__).parents[2]


def _module(stem):
  return importlib.import_module(f"temporal_jax.configs.{stem.replace('/', '.')}")


def test_every_config_is_found_by_its_name():
  listed = dict(config_files.list_configs())
  assert {"base", "camera_motion", "finetune", "atm:vit_b16_ssv2"} <= listed.keys()
  runs = {}
  for name, words in listed.items():
    stem, _, run = name.partition(":")
    module = _module(stem)
    assert words == module.__doc__.splitlines()[0]
    path, _, argument = config_files.find_config(name).partition(":")
    assert pathlib.Path(path).samefile(module.__file__)
    assert argument == run
    runs.setdefault(stem, []).append(run)
  for stem, names in runs.items():
    module = _module(stem)
    assert names == list(getattr(module, "RUNS", [""]))
  files = {
    path.relative_to(ROOT / "configs").with_suffix("").as_posix()
    for path in (ROOT / "configs").rglob("*.py")
    if "def get_config(" in path.read_text()
  }
  assert runs.keys() == files


def test_older_names_with_a_slash_are_found():
  for name, _ in config_files.list_configs("[!l]*:*"):  # Older than folders.
    path = config_files.find_config(name)
    assert config_files.find_config(name.replace(":", "/")) == path
  assert config_files.find_config("atm/vit_b16:ssv2").endswith("atm.py:vit_b16_ssv2")


def test_a_file_counts_before_a_name(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / "base").mkdir()  # A folder is no file.
  packaged = config_files.find_config("base")
  assert packaged.endswith("base.py")
  assert config_files.find_config("base:two:3") == f"{packaged}:two:3"
  (tmp_path / "finetune").touch()
  assert config_files.find_config("finetune:x") == "finetune:x"


@pytest.mark.parametrize(
  ("name", "near"),
  [
    ("finetun", "did you mean finetune?"),
    ("localization/bmm", "did you mean localization/base or localization/films or "),
    ("localization/bmn/hacs", "did you mean localization/bmn:hacs or"),
    ("localization", "`temporal-jax configs` lists them."),
    ("localization/../base", "`temporal-jax configs` lists them."),
    ("vit_b16_k400", "did you mean atm:vit_b16_k400 or ila:vit_b16_k400"),
    ("configs/atm/vit_b16_ssv2.py", "did you mean atm:vit_b16_ssv2 or"),
    ("configs/atm.py:vit_b16_ssv2", "did you mean atm:vit_b16_ssv2 or"),
    ("atm/vit_b16:ssv3", "did you mean atm:vit_b16_ssv"),
    ("tada/former_b61_ssv2", "did you mean tada:former_b16_ssv2 or"),
    ("configs/finetune.py", "did you mean finetune?"),  # From another folder.
    ("finetune.py:3", "did you mean finetune?"),
    ("datasets", "`temporal-jax configs` lists them."),  # It has no get_config.
    ("atm/base", "`temporal-jax configs` lists them."),
    ("atm/*", "`temporal-jax configs` lists them."),
    ("../train", "`temporal-jax configs` lists them."),
    ("", "`temporal-jax configs` lists them."),
    ("zzzzzzzz", "of the package; `temporal-jax configs` lists them."),
  ],
)
def test_what_is_neither_is_named_with_near_names(name, near, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with pytest.raises(FileNotFoundError) as caught:
    config_files.find_config(name)
  shown = name.partition(":")[0]
  assert str(caught.value).startswith(f"--config={shown} is neither a file nor")
  assert near in str(caught.value)


def test_lists_in_80_columns(capsys):
  assert main(["configs"]) == 0
  lines = capsys.readouterr().out.splitlines()
  assert max(map(len, lines)) <= 80
  names = [line.split()[0] for line in lines if not line.startswith(" ")]
  assert names == [name for name, _ in config_files.list_configs()]
  assert main(["configs", "xvit:*_k[46]00"]) == 0
  assert capsys.readouterr().out == (
    "xvit:b16_k400  Runs of X-ViT, arXiv:2106.05968.\nxvit:b16_k600\n"
  )


@pytest.mark.parametrize("name", ["atm", "atm:vit_b16", "configs/atm.py:vit_b16"])
def test_another_run_of_a_paper_is_refused_in_one_line(name, tmp_path):
  done = subprocess.run(
    [sys.executable, "train.py", f"--config={name}", f"--workdir={tmp_path / 'run'}"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
  )
  run = name.partition(":")[2]
  words = (
    "has no run 'vit_b16', such as atm:vit_b16_"
    if run
    else ("needs the name of a run, such as atm:resnet18_ssv1 or ")
  )
  assert done.returncode == 2
  assert done.stderr.startswith(f"train.py: --config={name}: atm {words}")
  assert done.stderr.endswith('; `temporal-jax configs "atm:*"` lists all 21.\n')
  assert done.stderr.count("\n") == 1
  assert not (tmp_path / "run").exists()


def test_a_pattern_that_nothing_matches(capsys):
  assert main(["configs", "finetuned"]) == 2
  assert capsys.readouterr().err == (
    "temporal-jax configs: no config's name matches 'finetuned'; did you mean "
    "finetune?\n"
  )


def test_needs_neither_jax_nor_ml_collections():
  code = (
    "import sys; from temporal_jax.cli import main; main(['configs'])\n"
    "assert not {'jax', 'numpy', 'ml_collections'} & set(sys.modules)"
  )
  subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_train_is_its_docstring(flag, capsys):
  from temporal_jax import train

  for words in ([flag], ["--config=finetune", flag]):
    assert main(["train", *words]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: temporal-jax train --config=NAME|FILE")
    assert train.__doc__ in shown


def test_train_py_is_the_same_command():
  done = subprocess.run(
    [sys.executable, "train.py", "--help"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
  )
  assert done.stdout.startswith("Trains and evaluates a video network.\n")


@pytest.mark.parametrize(
  ("content", "words"),
  [
    ("", "AttributeError: module 'config_config' has no attribute 'get_config'"),
    ("def get_config(): return {}", "must return an ml_collections.ConfigDict, got"),
    ("raise ValueError('boo')", "ends in ValueError: boo"),
    ("def f(:", "ends in SyntaxError: invalid syntax"),
    ("import nothere", "ends in ModuleNotFoundError: No module named 'nothere'"),
  ],
)
def test_a_file_that_makes_no_config_is_named(content, words, tmp_path):
  file = tmp_path / "own.py"
  file.write_text(content)
  done = subprocess.run(
    [sys.executable, "train.py", f"--config={file}", f"--workdir={tmp_path / 'run'}"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 2
  *_, line = done.stderr.splitlines()
  assert line.startswith(f"train.py: --config={file}: ")
  assert words in line
  assert "Traceback" not in done.stderr
  assert not (tmp_path / "run").exists()


def test_a_bad_recipe_is_refused_before_videos_are_read():
  config = tiny_config.get_config()
  config.batch_size = 8
  config.data.augment = "flip|nope("
  with pytest.raises(ValueError, match="nope"):
    RunSettings.from_config(config)
