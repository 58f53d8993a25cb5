"""Writes the page of the data sets, docs/annotations.md.

python -m temporal_jax.data.tools.annotations_page > docs/annotations.md
"""

from collections.abc import Iterator, Sequence

from temporal_jax.data.annotations.registry import DATA_SETS

_HEAD = """\
# Published annotations

The names that `--config.data.annotations` and `temporal-jax data build` take,
with the files that `--config.data.root` must hold, as their authors publish
them. Written by
`python -m temporal_jax.data.tools.annotations_page > docs/annotations.md`.

| name | files | videos |
|---|---|---|
"""
_TEST_SETS = """
`temporal-jax testset` scores the videos of these files, whose classes are not
published, except those in `test-answers.csv`, which is read if it exists; the
files with the names of the classes are those above.

| name | files |
|---|---|
"""


def create_page() -> str:
  """Returns the page, a row for all names that share files and videos."""
  tests = (
    f"| `{name}` | {_code(data_set.test_files)} |\n"
    for name, data_set in DATA_SETS.items()
    if data_set.test_files
  )
  return _HEAD + "".join(f"{row}\n" for row in _rows()) + _TEST_SETS + "".join(tests)


def _rows() -> Iterator[str]:
  shared: dict[tuple, list[str]] = {}
  for name, data_set in DATA_SETS.items():
    key = (tuple(data_set.files), data_set.videos)
    shared.setdefault(key, []).append(name)
  for (files, videos), names in shared.items():
    yield f"| {_code(names)} | {_code(files)} | {videos} |"


def _code(words: Sequence[str]) -> str:
  """Returns words in a Markdown cell."""
  return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
  print(create_page(), end="")
