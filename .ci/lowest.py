"""Prints the oldest versions that pyproject.toml allows, for pip."""

import pathlib
import re
import tomllib

_FILE = pathlib.Path(__file__).parents[1] / "pyproject.toml"


def main() -> None:
  """Prints a line NAME==VERSION for each requirement with a lower bound."""
  project = tomllib.loads(_FILE.read_text())["project"]
  groups = project["dependencies"], *project["optional-dependencies"].values()
  for requirement in sorted({one for group in groups for one in group}):
    if bound := re.fullmatch(r"([\w-]+)>=([\w.]+)(,<.*)?", requirement):
      print(f"{bound[1]}=={bound[2]}")


if __name__ == "__main__":
  main()
