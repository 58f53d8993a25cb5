import pytest

from temporal_jax.data import annotations


@pytest.mark.parametrize(
  ("text", "columns", "separator"),
  [
    ("a b/c.mp4 1\nd.mp4 0\n", ("path", "label"), None),
    ("a b/c.mp4 250 1\nd.mp4 9 0\n", ("path", "frames", "label"), None),
    ("a b/c.mp4,250,1\n\nd.mp4,9,0\n", ("path", "frames", "label"), ","),
    ("a b/c.mp4;1;9;1\nd.mp4;1;9;0\n", ("path", "start", "end", "label"), ";"),
  ],
)
def test_list_files(write, text, columns, separator):
  names = annotations.read_names(write("names.txt", "run\nwalk\n"))
  got = annotations.read_lists(
    {"train": write("a.txt", text)},
    names,
    columns=columns,
    separator=separator,
  )
  assert [(r.path, r.label) for r in got.records] == [
    ("a b/c.mp4", 1),
    ("d.mp4", 0),
  ]
  assert got.class_names == ("run", "walk")


@pytest.mark.parametrize(
  ("text", "columns", "message"),
  [
    ("a.mp4 0\nb.mp4\n", ("path", "label"), "line 2: needs 2 fields"),
    ("a.mp4 2\n", ("path", "label"), r"line 1: .* in \[0, 2\), got 2"),
    ("a.mp4 x\n", ("path", "label"), "must be an integer of at least 0"),
    ("a.mp4 -1\n", ("path", "label"), "must be an integer of at least 0"),
    ("", ("label", "path"), "columns must begin with path"),
  ],
)
def test_wrong_lists_are_named_by_their_line(write, text, columns, message):
  file = write("a.txt", text)
  with pytest.raises(ValueError, match=message):
    annotations.read_lists({"train": file}, ("run", "walk"), columns=columns)


@pytest.mark.parametrize(
  ("text", "message"),
  [("run\nrun\n", "line 2: 'run' is there twice"), ("\n", "names no class")],
)
def test_wrong_class_names(write, text, message):
  with pytest.raises(ValueError, match=message):
    annotations.read_names(write("names.txt", text))
