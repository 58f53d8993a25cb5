"""The public names of a package: what its __init__ imports as itself."""

import ast
import pathlib


def public_names(package):
  """Returns the names y of all lines `from x import y as y`, in their order."""
  tree = ast.parse(pathlib.Path(package.__file__).read_text())
  return [
    alias.name
    for node in tree.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
    if alias.asname == alias.name
  ]
