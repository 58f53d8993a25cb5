import json

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import DATA_SETS, open_annotations

KINETICS = "label,youtube_id,time_start,time_end\n{}"
EPIC = (
  "narration_id,participant_id,video_id,start_timestamp,stop_timestamp,"
  "verb_class,noun_class\nP01_01_0,P01,P01_01,0:0:1,0:0:2,0,0\n"
)
NET = json.dumps(
  {
    "database": {
      video: {
        "subset": subset,
        "annotations": [{"label": "run", "segment": [0, 5]}],
      }
      for video, subset in (("a", "training"), ("b", "validation"))
    }
  }
)
ENTRY = [{"id": 1, "template": "Doing [it]"}]
FILES = {
  ("k400", "k600", "k700"): {
    "train.csv": KINETICS.format("run,a,0,10\nwalk,b,0,10\n"),
    "validate.csv": KINETICS.format("run,c,0,10\n"),
    "classes.txt": "walk\nrun\n",
  },
  ("k710",): {
    f"{part}/{file}": KINETICS.format(f"{name},{part}_{file},0,9\n")
    for part, name in (("k400", "run"), ("k600", "walk"), ("k700", "run"))
    for file in ("train.csv", "validate.csv")
  },
  ("ssv1",): {
    f"something-something-v1-{part}.csv": text
    for part, text in (
      ("train", "1;Doing it\n"),
      ("validation", "2;Doing it\n"),
      ("labels", "Doing it\n"),
    )
  },
  ("ssv2",): {
    "train.json": json.dumps(ENTRY),
    "validation.json": json.dumps(ENTRY),
    "labels.json": json.dumps({"Doing it": "0"}),
  },
  ("mit",): {
    "trainingSet.csv": "run/a.mp4,run,3,0\n",
    "validationSet.csv": "run/b.mp4,run,3,0\n",
    "moments_categories.txt": "run,0\n",
  },
  ("ek100",): {
    "EPIC_100_train.csv": EPIC,
    "EPIC_100_validation.csv": EPIC,
    "EPIC_100_verb_classes.csv": "id,key\n0,cut\n",
    "EPIC_100_noun_classes.csv": "id,key\n0,tap\n",
  },
  ("anet", "anet_multi_label"): {"activity_net.v1-3.min.json": NET},
  ("hacs",): {"HACS_segments_v1.1.1.json": NET},
  ("hacs_clips",): {
    "HACS_clips_v1.1.1.csv": "classname,youtube_id,subset,start,end,label\n"
    "run,a,training,0,2,1\nrun,b,validation,0,2,1\n"
  },
  ("charades", "charades_parts"): {
    "Charades_v1_train.csv": "id,actions,length\na,c000 0 1,9\n",
    "Charades_v1_test.csv": "id,actions,length\nb,c000 0 1,9\n",
    "Charades_v1_classes.txt": "c000 Running\n",
  },
  ("ucf101_1", "ucf101_2", "ucf101_3"): {"classInd.txt": "1 Run\n"}
  | {
    f"{role}list0{split}.txt": f"Run/v_{role}{split}_c00.avi\n"
    for role in ("train", "test")
    for split in (1, 2, 3)
  },
  ("hmdb51_1", "hmdb51_2", "hmdb51_3"): {
    f"run_test_split{split}.txt": f"a{split}.avi 1\nb{split}.avi 2\n"
    for split in (1, 2, 3)
  },
}


@pytest.mark.parametrize("names", FILES, ids=lambda names: names[0])
def test_each_name_finds_the_published_files(tmp_path, names):
  for file, text in FILES[names].items():
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
  for name in names:
    got = open_annotations(name, tmp_path)
    assert got.split("train"), name
    assert got.split("test"), name
    if name[-2] == "_":  # One of three splits.
      assert all(name[-1] in record.path for record in got.records)
  (tmp_path / next(iter(FILES[names]))).unlink()
  if names[0] != "hmdb51_1":
    with pytest.raises(FileNotFoundError):
      open_annotations(names[0], tmp_path)


def test_every_name_is_tried():
  assert set(DATA_SETS) == {name for names in FILES for name in names}


def test_classes_are_in_the_given_order(tmp_path):
  for file, text in FILES[("k400", "k600", "k700")].items():
    (tmp_path / file).write_text(text)
  assert open_annotations("k400", tmp_path).class_names == ("walk", "run")


def test_unknown_names_are_refused(tmp_path):
  with pytest.raises(ValueError, match=r"one of k400, k600, .*; got 'k401'"):
    open_annotations("k401", tmp_path)


def test_numbers_as_names_have_one_order_everywhere(write):
  header = "label,youtube_id,time_start,time_end\n"
  rows = "".join(f"{i},abc{i},1,2\n" for i in range(12))
  file = write("train.csv", "\ufeff" + (header + rows).replace(",", ";"))
  got = annotations.read_kinetics({"train": file})
  assert got.class_names == tuple(map(str, range(12)))
  assert [record.label for record in got.records] == list(range(12))
  merged = annotations.merge({"k": got})
  assert merged.class_names == got.class_names
