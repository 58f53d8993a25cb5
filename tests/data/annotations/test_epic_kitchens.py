import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record

# Files that `test_registry` opens by name, as published, a few lines long.
_PART = (
  "narration_id,participant_id,video_id,start_timestamp,stop_timestamp,"
  "verb_class,noun_class\nP01_01_0,P01,P01_01,0:0:1,0:0:2,0,0\n"
)
FILES = {
  ("ek100",): {
    "EPIC_100_train.csv": _PART,
    "EPIC_100_validation.csv": _PART.replace("P01", "P02"),
    "EPIC_100_verb_classes.csv": "id,key\n0,cut\n",
    "EPIC_100_noun_classes.csv": "id,key\n0,tap\n",
  }
}


EPIC = (
  "narration_id,participant_id,video_id,narration_timestamp,start_timestamp,"
  "stop_timestamp,start_frame,stop_frame,narration,verb,verb_class,noun,"
  "noun_class,all_nouns,all_noun_classes\n"
  "P01_01_0,P01,P01_01,00:00:01.089,00:00:00.14,00:01:03.37,8,202,open door,"
  "open,1,door,{noun},['door'],[3]\n"
)


def test_epic_kitchens(write):
  verbs = write("v.csv", "id,key,instances,category\n0,take,[],x\n1,open,[],x\n")
  nouns = write("n.csv", "id,key\n0,tap\n1,spoon\n2,door\n")
  files = {"train": write("train.csv", EPIC.format(noun=2))}
  got = annotations.read_epic_kitchens(files, verbs, nouns)
  assert got.class_names == {
    "verb": ("take", "open"),
    "noun": ("tap", "spoon", "door"),
  }
  assert got.records == [
    Record(
      id="P01_01_0",
      path="P01/videos/P01_01.MP4",
      label=(1, 2),
      split="train",
      start=pytest.approx(0.14),
      stop=pytest.approx(63.37),
      origin="P01_01",
    )
  ]
  (cut,) = annotations.read_epic_kitchens(
    files, verbs, nouns, path="{narration_id}.MP4", cut=True
  ).records
  assert (cut.path, cut.start, cut.stop) == ("P01_01_0.MP4", None, None)

  write("train.csv", EPIC.format(noun=3))
  with pytest.raises(ValueError, match=r"line 2: .* must be in \[0, 3\), got 3"):
    annotations.read_epic_kitchens(files, verbs, nouns)
  write("train.csv", EPIC.format(noun=2).replace("00:01:03.37", "00:00:00.10"))
  with pytest.raises(ValueError, match=r"line 2: it stops at 0.1 s, before"):
    annotations.read_epic_kitchens(files, verbs, nouns)
  write("train.csv", EPIC.format(noun=2).replace("00:01:03.37", "soon"))
  with pytest.raises(ValueError, match=r"stop_timestamp must be seconds or"):
    annotations.read_epic_kitchens(files, verbs, nouns)
  write("train.csv", EPIC.replace("verb_class", "verb"))
  with pytest.raises(ValueError, match=r"line 1 lacks the columns \['verb_cl"):
    annotations.read_epic_kitchens(files, verbs, nouns)
