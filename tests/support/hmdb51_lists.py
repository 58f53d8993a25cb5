"""Lists in the form of HMDB51, of two classes of six videos."""


def write_lists(folder, tests):
  """Writes three splits from the (class, number) of the videos each tests."""
  for split, tested in enumerate(tests, start=1):
    for name in ("go_up", "GoDown"):
      lines = [f"{i}.mp4 {2 if (name, i) in tested else 1}" for i in range(6)]
      file = folder / f"{name}_test_split{split}.txt"
      file.write_text("\n".join(lines))
