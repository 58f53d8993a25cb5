"""Every command in README.md and docs/*.md is understood by its program."""

import argparse
import copy
import importlib
import re
import tomllib

import pytest

from temporal_jax import cli
from tests.support import doc_blocks

pytest.importorskip("ml_collections")


class _ParsedError(Exception):
  """The words of a program went through its parser."""


def _parse_flags_of_train(words):
  """Parses as `temporal_jax.train` does, without touching its own flags."""
  from absl import flags

  from temporal_jax import train
  from tests.support.read_config import read_config

  known = flags.FlagValues()
  for flag in flags.FLAGS.flags_by_module_dict()[train.__name__]:
    if flag.name.partition(".")[0] != "config":
      known[flag.name] = copy.deepcopy(flag)
  words = [word.replace("=CONFIG", "=camera_motion") for word in words]
  assert read_config(words, known) is not None


def _parse_program(module, words, monkeypatch):
  """Lets `main` of a module parse its words, and stops it there."""
  parse = argparse.ArgumentParser.parse_known_args

  def stop(parser, args=None, namespace=None):
    _, unknown = parse(parser, args, namespace)
    if unknown:
      parser.error(f"unknown arguments {unknown}")
    raise _ParsedError

  monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", stop)
  main = importlib.import_module(module).main
  with pytest.raises(_ParsedError):
    main(list(words))


def _check_pip(words):
  project = tomllib.loads((doc_blocks.ROOT / "pyproject.toml").read_text())["project"]
  for word in words:
    name, extra = re.fullmatch(r"(.+?)(?:\[(\w+)\])?", word).groups()
    allowed = {"jax": {"cuda12", "tpu"}, ".": {*project["optional-dependencies"]}}
    assert extra is None or extra in allowed[name]


def _check_files(words):
  assert all((doc_blocks.ROOT / word).exists() for word in words)


def _check_make(words):
  makefile = (doc_blocks.ROOT / "Makefile").read_text()
  assert all(re.search(rf"^{word}:", makefile, re.MULTILINE) for word in words)


# ml_collections loads files of configs by it.
@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
@pytest.mark.parametrize("command", doc_blocks.all_commands(), ids=str)
def test_every_command_is_understood(command, monkeypatch):
  match command.words:
    case "temporal-jax", "train", *words:
      _parse_flags_of_train(words)
    case "temporal-jax", *words:
      cli.create_parser().parse_args(words)
    case "python", "-m", "convert_weights", *words:
      _parse_program("convert_weights.__main__", words, monkeypatch)
    case "python", "-m", module, *words:
      assert module.startswith("benchmarks.")
      _parse_program(module, words, monkeypatch)
    case "python", "my_script.py":  # The reader's own.
      pass
    case "pip", "install", *words:
      _check_pip(words)
    case "pytest", *words:
      _check_files(words)
    case "make", *words:
      _check_make(words)
    case "docker", "build", *words:
      _check_files([words[words.index("-f") + 1]] if "-f" in words else ["Dockerfile"])
    case "docker", "run", *words:
      (image,) = (i for i, word in enumerate(words) if word.startswith("temporal-jax"))
      if words[image + 1] == "train":
        _parse_flags_of_train(words[image + 2 :])
      else:
        cli.create_parser().parse_args(words[image + 1 :])
    case other:
      pytest.fail(f"no program of {other} is known")


def test_every_block_is_of_a_kind_that_is_tested():
  # "text" is no code.
  kinds = {block.kind for block in doc_blocks.blocks()}
  assert kinds <= {"", "sh", "python", "py", "text", "bibtex"}
  # Indented blocks would be left out.
  for page in doc_blocks.PAGES:
    text = re.sub(
      r"^```.*?^```$", "", (doc_blocks.ROOT / page).read_text(), flags=re.S | re.M
    )
    assert not re.search(r"^    (?:\S+ )?(?:python|temporal-jax)", text, re.MULTILINE)
