"""One wording for names that are not known."""

import importlib

import pytest

from temporal_jax.lookup import declared, did_you_mean, lookup, near_names

ROOMS = {"kitchen": 1, "bathroom": 2, "bedroom": 3}
NUMBERED = {f"room{number}": number for number in range(100)}


def test_known_names_are_found():
  assert lookup(ROOMS, "bedroom", "room") == 3


@pytest.mark.parametrize(
  ("name", "message"),
  [
    (
      "kichen",
      "unknown room 'kichen'; did you mean 'kitchen'? "
      "Known: ['kitchen', 'bathroom', 'bedroom'].",
    ),
    ("xyz", "unknown room 'xyz'. Known: ['kitchen', 'bathroom', 'bedroom']."),
    (None, "unknown room None. Known: ['kitchen', 'bathroom', 'bedroom']."),
    (["kitchen"], "unknown room ['kitchen']; did you mean 'kitchen'? Known: "),
  ],
)
def test_others_are_refused(name, message):
  with pytest.raises(ValueError, match="unknown room") as caught:
    lookup(ROOMS, name, "room")
  assert str(caught.value).startswith(message)


def test_the_owner_is_named():
  with pytest.raises(ValueError, match=r"^unknown room 'x' of the house\. Known"):
    lookup(ROOMS, "x", "room", of="the house")


def test_long_lists_are_cut_and_say_where_they_are_whole():
  with pytest.raises(ValueError, match=r"'room9'\] and 90 more; the plan lists all"):
    lookup(NUMBERED, "cellar", "room", listed_by="the plan")


def test_long_names_are_cut_and_take_no_time():
  with pytest.raises(ValueError, match="unknown room") as caught:
    lookup(NUMBERED, "r" * 10**6, "room")
  assert len(str(caught.value)) < 1000


def test_near_names_come_by_their_similarity():
  assert near_names("bedrom", ROOMS) == ["bedroom"]
  assert near_names("bathrom", ROOMS, cutoff=0) == ["bathroom", "bedroom", "kitchen"]
  assert near_names("bathrom", ROOMS, count=1, cutoff=0) == ["bathroom"]
  assert did_you_mean("zzz", ROOMS) == ""
  assert did_you_mean("broom", {"bedroom": 0, "bathroom": 0}) == (
    "; did you mean 'bedroom' or 'bathroom'?"
  )


def test_modules_declare_tables(tmp_path, monkeypatch):
  package = tmp_path / "rooms_of_a_house"
  (package / "wing").mkdir(parents=True)
  for name, text in (
    ("__init__", ""),
    ("wing/__init__", ""),
    ("wing/tower", "ROOMS = {'loft': 4}"),
    ("upper", "ROOMS = {'attic': 1}"),
    ("lower", "ROOMS = {'cellar': 2}"),
    ("garden", "TREES = 3"),
    ("registry", "ROOMS = {'attic': 1, 'cellar': 2}"),
  ):
    (package / f"{name}.py").write_text(text)
  monkeypatch.syspath_prepend(tmp_path)
  importlib.import_module("rooms_of_a_house")
  found = declared("rooms_of_a_house", "ROOMS")
  assert found == {
    "lower": {"cellar": 2},
    "upper": {"attic": 1},
    "wing.tower": {"loft": 4},
  }
  assert list(found) == sorted(found)
