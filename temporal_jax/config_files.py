"""The configs of the package, found by name; nothing of them is imported."""

import ast
import fnmatch
import pathlib
from collections.abc import Iterator

from temporal_jax.lookup import near_names

_FOLDER = pathlib.Path(__file__).parent / "configs"


def find_config(name: str) -> str:
  """Returns the file of a config, as ml_collections takes it.

  Args:
    name: A file, or the name of a config of the package ("atm/vit_b16_ssv2"); a
      file counts first. ":ARGUMENT", the argument of get_config, may follow.

  Returns:
    The path, with ":ARGUMENT" if there is one.

  Raises:
    FileNotFoundError: If there is neither, with the names that are nearest.
  """
  path, colon, argument = name.partition(":")
  if not pathlib.Path(path).is_file():
    path = str(_packaged(path))
  return f"{path}{colon}{argument}"


def list_configs(pattern: str = "*") -> Iterator[tuple[str, str]]:
  """Yields the configs of the package: name and first line of the docstring.

  Args:
    pattern: Names to yield, as in a shell: "atm/*", "*ssv2*".
  """
  for path in sorted(_FOLDER.rglob("*.py")):
    name = path.relative_to(_FOLDER).with_suffix("").as_posix()
    if not fnmatch.fnmatchcase(name, pattern):
      continue
    module = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in module.body if isinstance(node, ast.FunctionDef))
    # Files without it hold what others share.
    if any(function.name == "get_config" for function in functions):
      yield name, (ast.get_docstring(module) or "").partition("\n")[0]


def near_configs(name: str) -> list[str]:
  """Returns up to three names of configs like this one, the nearest first."""
  known = [known for known, _ in list_configs()]
  # Of "vit_b16_ssv2" the folder may be missing, of "atm/vit_b61" a part wrong.
  ends = [whole for whole in known if whole.endswith(f"/{name}")]
  close = near_names(name, known)
  return list(dict.fromkeys([*ends, *close]))[:3]


def _packaged(name: str) -> pathlib.Path:
  """Returns the file of a config of the package."""
  plain = name.removeprefix("configs/").removesuffix(".py")
  if plain == name and name in dict(list_configs(name)):
    return _FOLDER / f"{name}.py"
  close = near_configs(plain)
  hint = f"did you mean {' or '.join(close)}? " if close else ""
  raise FileNotFoundError(
    f"--config={name} is neither a file nor a config of the package; {hint}"
    "`temporal-jax configs` lists them."
  )
