"""Finds the configs of the package by name, without importing them."""

import ast
import fnmatch
import pathlib
from collections.abc import Iterator

from temporal_jax.lookup import near_names

_FOLDER = pathlib.Path(__file__).parent / "configs"


def find_config(name: str) -> str:
  """Returns the file of a config, as ml_collections takes it.

  Args:
    name: A file, or the name of a config of the package ("finetune"); a file
      counts first. ":ARGUMENT", the argument of get_config, may follow: the run
      of a paper ("atm:vit_b16_ssv2"). Older commands write a slash for the
      colon ("atm/vit_b16_ssv2").

  Returns:
    The path, with ":ARGUMENT" if there is one.

  Raises:
    FileNotFoundError: If there is neither, with the names that are nearest.
  """
  path, colon, argument = name.partition(":")
  if pathlib.Path(path).is_file():
    return name
  if _read(_file(path)) is None:
    # "atm/vit_b16_ssv2", and "atm/vit_b16:ssv2", are "atm:vit_b16_ssv2".
    stem, *run = path.split("/")
    known = f"{stem}:{'_'.join([*run, *filter(None, [argument])])}"
    if not run or known not in dict(list_configs()):
      raise _unknown(path, argument)
    path, colon, argument = known.partition(":")
  return f"{_file(path)}{colon}{argument}"


def list_configs(pattern: str = "*") -> Iterator[tuple[str, str]]:
  """Yields the configs of the package: name and first line of the docstring.

  A file that declares RUNS is a config for each: "FILE:RUN". Files in a folder
  have its name before theirs: "localization/base".

  Args:
    pattern: Names to yield, as in a shell: "atm:*", "*ssv2*".
  """
  for path in sorted([*_FOLDER.glob("*.py"), *_FOLDER.glob("*/*.py")]):
    module = _read(path)
    if module is not None:
      words = (ast.get_docstring(module) or "").partition("\n")[0]
      runs, file = _runs(module), path.relative_to(_FOLDER).with_suffix("").as_posix()
      for name in [f"{file}:{run}" for run in runs] or [file]:
        if fnmatch.fnmatchcase(name, pattern):
          yield name, words


def near_configs(name: str) -> list[str]:
  """Returns up to three names of configs like this one, the nearest first."""
  known = [known for known, _ in list_configs()]
  if not any(one.startswith(f"{name.partition('/')[0]}/") for one in known):
    name = name.replace("/", ":", 1)
  # "vit_b16_ssv2" may lack its file, "atm:vit_b61" may have a wrong part.
  ends = [whole for whole in known if whole.endswith(f":{name}")]
  close = near_names(name, known)
  return list(dict.fromkeys([*ends, *close]))[:3]


def _file(name: str) -> pathlib.Path:
  """Returns the path of the config of a name, in the folder of configs."""
  file = _FOLDER.joinpath(*name.split("/"))
  inside = ".." not in file.parts and not name.startswith("/")
  return file.with_name(f"{file.name}.py") if inside and file.name else _FOLDER


def _read(path: pathlib.Path) -> ast.Module | None:
  """Returns the code of a config, None if the file makes none or is missing."""
  if not path.is_file():
    return None
  module = ast.parse(path.read_text(encoding="utf-8"))
  functions = (node for node in module.body if isinstance(node, ast.FunctionDef))
  # Files without it are shared by others.
  return module if any(made.name == "get_config" for made in functions) else None


def _runs(module: ast.Module) -> list[str]:
  """Returns the keys of the dict RUNS of a module, which are literals."""
  for node in module.body:
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "RUNS":
      return [ast.literal_eval(key) for key in node.value.keys]
  return []


def _unknown(name: str, argument: str) -> FileNotFoundError:
  """Returns the error about a name of neither a file nor a config."""
  plain = name.removeprefix("configs/").removesuffix(".py")
  close = near_configs(f"{plain}:{argument}" if argument else plain)
  hint = f"did you mean {' or '.join(close)}? " if close else ""
  return FileNotFoundError(
    f"--config={name} is neither a file nor a config of the package; {hint}"
    "`temporal-jax configs` lists them."
  )
