"""Tar files of samples: what is listed, and what is refused."""

import io
import json
import re
import tarfile

import pytest

from temporal_jax.data.listing.find_videos import file_sources, read_listed
from temporal_jax.data.listing.shard_names import expand_braces
from temporal_jax.data.listing.tar_headers import read_entries
from temporal_jax.data.video.pictures import VideoError
from tests.support.tar_shards import blank_all_but, shard_folder, write_shard

FORMS = {
  "pax": tarfile.PAX_FORMAT,
  "gnu": tarfile.GNU_FORMAT,
  "v7": tarfile.USTAR_FORMAT,
}


def _of(source):
  return {
    video["id"].rsplit("/", 2)[-1]: source.class_names[video["label"]]
    for video in map(source.__getitem__, range(len(source)))
  }


def _kind(name, kind, **fields):
  member = tarfile.TarInfo(name)
  member.type = kind
  for field, value in fields.items():
    setattr(member, field, value)
  return member


@pytest.mark.parametrize("form", FORMS)
def test_the_listing_is_that_of_python(tmp_path, form):
  names = ["./a.mp4", "f/g.cls", "d" * 60 + "/" + "n" * 90 + ".mp4"]
  if form != "v7":
    names += ["ü" * 90 + "/" + "long" * 40 + ".txt"]
  files = [(name, bytes(i * 300)) for i, name in enumerate(names)]
  files.insert(1, (_kind("f", tarfile.DIRTYPE), b""))
  path = write_shard(tmp_path / "x.tar", files, FORMS[form])
  with path.open("rb") as file, tarfile.open(path) as tar:
    found = [tuple(entry) for entry in read_entries(file)]
    assert found == [
      (m.name.removeprefix("./"), m.offset_data, m.size) for m in tar if m.isfile()
    ]
  assert len(found) == len(names)


def test_names_of_shards_give_the_splits(video_folder, tmp_path):
  shard_folder(video_folder, tmp_path)
  said = []
  sources = file_sources(tmp_path, 0.2, say=said.append)
  assert sources["train"].class_names == ("fall", "rise")
  assert len(sources["train"]) == 8
  test = _of(sources["test"])
  assert test == {f"{c}_{i}.mp4": c for c in ("fall", "rise") for i in (2, 5)}
  assert "8 videos of 'train' are trained on" in said[0]
  pattern = tmp_path / "{train,test}-{0..1}.tar"
  with pytest.raises(FileNotFoundError, match=r"there is no file .*test-1\.tar"):
    file_sources(pattern, 0.2)
  for pattern in ("{train,test}-[0-9].tar", "*.tar"):
    found = file_sources(tmp_path / pattern, 0.2, say=said.append)
    assert found["train"].fingerprint() == sources["train"].fingerprint()


def test_a_video_is_read_by_its_place_only(video_folder, tmp_path):
  shard_folder(video_folder, tmp_path)
  files = sorted(tmp_path.iterdir())
  source = file_sources(tmp_path, 0.2, say=print)["test"]
  videos = [source[i] for i in range(len(source))]
  want = (video_folder / "rise" / "5.mp4").read_bytes()
  blank_all_but(tmp_path / "test-0.tar", [videos[3]["video"]])
  assert videos[3]["id"].endswith("rise_5.mp4")
  assert videos[3]["video"].read() == want
  assert set(videos[0]["video"].read()) == {0}
  assert sorted(tmp_path.iterdir()) == files  # Nothing was unpacked.


def test_a_shard_that_changes_makes_its_videos_bad(video_folder, tmp_path):
  shard_folder(video_folder, tmp_path)
  source = file_sources(tmp_path, 0.2, say=print)["test"]
  (tmp_path / "test-0.tar").write_bytes(b"")
  with pytest.raises(VideoError, match=r"test-0\.tar has changed since it was listed"):
    source[0]["video"].read()
  (tmp_path / "test-0.tar").unlink()
  with pytest.raises(VideoError, match="does not exist"):
    source[0]["video"].read()


def test_labels_of_each_kind(tmp_path):
  def listed(first, second, tasks=()):
    files = [("1.mp4", b""), ("a/2.left.MP4", b""), ("__meta__", b""), ("._1.mp4", b"")]
    files += [(f"1.{kind}", value) for kind, value in first.items()]
    files += [(f"a/2.{kind}", value) for kind, value in second.items()]
    table = read_listed(write_shard(tmp_path / "x.tar", files), tasks)
    return table.columns, [table.names(row.names) for row in table.rows]

  text = listed({"txt": b"swim\n"}, {"txt": b" high jump"})
  assert text == (("label",), [(("swim",),), (("high jump",),)])
  both = {"cls": b"3", "txt": b"A caption.\nTwo lines.", "json": b"no JSON"}
  assert listed(both, both) == (("label",), [(("3",),)] * 2)
  found = listed({"json": b'{"label": 4, "fps": 2.5}'}, {"json": b'{"label": "x"}'})
  assert found == (("label",), [(("4",),), (("x",),)])
  found = listed({"json": b'{"labels": ["x", "y"]}'}, {"json": b'{"labels": []}'})
  assert found == (("labels",), [(("x", "y"),), ((),)])
  two = {"json": b'{"verb": "cut", "noun": "egg"}'}
  found = listed(two, two, tasks=("noun", "verb"))
  assert found == (("noun", "verb"), [(("egg",), ("cut",))] * 2)


def test_keys_without_a_video_are_counted(tmp_path):
  write_shard(tmp_path / "0.tar", [("a.mp4", b""), ("a.cls", b"1"), ("b.cls", b"2")])
  assert read_listed(tmp_path).notes[0].endswith(": 1 keys without a video.")
  write_shard(tmp_path / "0.tar", [("b.cls", b"2")])
  with pytest.raises(ValueError, match="holds no video in its 1 tar files"):
    read_listed(tmp_path)


VIDEO, LABEL = ("a.mp4", b"video"), ("a.cls", b"1")


@pytest.mark.parametrize(
  ("files", "message"),
  [
    ([VIDEO], "key 'a' has a video and no label; it is in a file .cls, .json or .txt"),
    ([VIDEO, LABEL, ("b.mp4", b""), ("b.txt", b"x")], "no label: a file .cls, as the"),
    ([VIDEO, LABEL, VIDEO], "the key 'a' is there twice, with the files 'a.mp4' and"),
    ([VIDEO, LABEL, ("a.2.avi", b"")], "has 2 videos, 'a.mp4' and 'a.2.avi'; a sample"),
    ([("../a.mp4", b"")], "'../a.mp4' has a path out of the shard"),
    ([("/a.mp4", b"")], "'/a.mp4' has a path out of the shard"),
    ([(_kind("a.mp4", tarfile.SYMTYPE, linkname="/b"), b"")], "'a.mp4' is a link, and"),
    ([(_kind("a.mp4", tarfile.LNKTYPE, linkname="b"), b"")], "'a.mp4' is a link, and"),
    ([(_kind("a.mp4", tarfile.CHRTYPE), b"")], "'a.mp4' is a device, and no file"),
    ([(_kind("a.mp4", tarfile.FIFOTYPE), b"")], "'a.mp4' is a pipe, and no file"),
    ([VIDEO, ("a.cls", b" \n")], ".cls must hold one line, the class; it has 0"),
    ([VIDEO, ("a.txt", b"two\nlines")], ".txt must hold one line, the class; it has 2"),
    ([VIDEO, ("a.cls", b"\xff")], ".cls is not UTF-8"),
    ([VIDEO, ("a.cls", b"\x03\0\0\0")], r".cls must be text, and holds the control"),
    ([VIDEO, ("a.txt", b"a\x1b[2J")], r"holds the control character '\x1b'"),
    ([VIDEO, ("a.json", b'{"label": "a\\u0000"}')], r"label must be text, and holds"),
    ([VIDEO, ("a.json", b'{"label": "a", "group": "\\u0007g"}')], "group must be text"),
    ([VIDEO, ("a.cls", b"x" * (2**20 + 1))], ".cls has over 1,048,576 bytes"),
    ([VIDEO, ("a.json", b"[1]")], r".json must be an object, got [1]"),
    ([VIDEO, ("a.json", b'{"fps": 1}')], "none of the fields label and labels, only"),
    ([VIDEO, ("a.json", b'{"label": true}')], "a name or a whole number, got True"),
    ([VIDEO, ("a.json", b'{"labels": "x"}')], "labels must be a list of classes, got"),
    ([VIDEO, ("a.json", b'{"labels": [1, "1"]}')], "labels holds a class twice"),
    ([VIDEO, ("a.json", b'{"label": 1')], ".json is not JSON: line 1, column 12"),
  ],
)
def test_bad_samples_are_one_sentence(tmp_path, files, message):
  path = write_shard(tmp_path / "x.tar", files)
  with pytest.raises(ValueError, match=re.escape(message)) as error:
    read_listed(tmp_path)
  assert str(path) in str(error.value)
  assert "\n" not in str(error.value)


def _whole(tmp_path):
  return write_shard(tmp_path / "x.tar", [VIDEO, LABEL], tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
  ("damage", "message"),
  [
    (lambda content: b"", "the file is empty"),
    (lambda content: content[:600], "is cut off: 600 of at least 1024 bytes are there"),
    (lambda content: content[:1024], "is cut off: 1024 of at least 1536 bytes"),
    (lambda content: content[:2048], "is cut off: 2048 of at least 2560 bytes"),
    (lambda content: content[:1030] + b"x" + content[1031:], "damaged at byte 1024"),
    (lambda content: b"\x1f\x8b" + content, "it is no tar file, or a compressed one"),
  ],
)
def test_damaged_shards_are_one_sentence(tmp_path, damage, message):
  path = _whole(tmp_path)
  path.write_bytes(damage(path.read_bytes()))
  with pytest.raises(ValueError, match=f"the shard .*{message}"):
    read_listed(tmp_path)


def test_no_header_is_followed_for_ever(tmp_path):
  def header(size, kind, content=b""):
    member = _kind("x", kind)
    block = bytearray(member.tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + content.ljust(-(-len(content) // 512) * 512, b"\0")

  def refused(content):
    with pytest.raises(VideoError) as error:
      [*read_entries(io.BytesIO(content + bytes(1024)))]
    return str(error.value)

  below_zero = b"\xff" * 11 + b"\x00"  # -256, as GNU writes it.
  assert refused(header(below_zero, b"0")) == "the tar file is damaged at byte 0"
  huge = b"\x80" + b"\xff" * 11
  assert "is cut off" in refused(header(huge, b"0"))
  assert "is cut off" in refused(header(huge, b"x"))
  for record in (b"12 size=-512\n", b"99 size=512\n", b"0 path=x\n", b"no record"):
    size = b"%011o\0" % len(record)
    assert "is damaged at byte 512" in refused(header(size, b"x", record))
  many = header(b"%011o\0" % 2**20, b"L") + bytes(2**20)
  assert "is cut off" in refused(many * 2 + header(b"%011o\0" % 2**30, b"0"))
  too_long = header(b"%011o\0" % (2**20 + 1), b"L") + bytes(2**20 + 512)
  assert "at most 1048576 are read" in refused(too_long)


def test_bad_names_of_shards_are_one_sentence(tmp_path):
  _whole(tmp_path).rename(tmp_path / "train-0.tar")
  with pytest.raises(ValueError, match=r"data\.frames and data\.flow are for"):
    read_listed(tmp_path, frames="*.jpg")
  (tmp_path / "0.tar").write_bytes((tmp_path / "train-0.tar").read_bytes())
  with pytest.raises(ValueError, match=r"train-0\.tar is of a split .*/0\.tar of none"):
    read_listed(tmp_path)
  with pytest.raises(ValueError, match="a brace without its partner"):
    read_listed(tmp_path / "{train-0.tar")
  with pytest.raises(ValueError, match=r"\{9\.\.0\} must count up"):
    read_listed(tmp_path / "{9..0}.tar")
  with pytest.raises(FileNotFoundError, match="there is no file"):
    read_listed(tmp_path / "test-*.tar")
  (tmp_path / "1.tar.gz").touch()
  for root in (tmp_path, tmp_path / "1.tar.gz"):
    with pytest.raises(ValueError, match=r"1\.tar\.gz is compressed"):
      read_listed(root)


def test_folders_may_name_the_splits(tmp_path):
  for split in ("train", "val"):
    write_shard(tmp_path / split / "0.tar", [VIDEO, LABEL])
  sources = file_sources(tmp_path / "{train,val}" / "*.tar", 0.2, say=print)
  assert {split: len(source) for split, source in sources.items()} == {
    "train": 1,
    "test": 1,
  }


def test_class_folders_next_to_a_tar_file_stay_class_folders(video_folder, tmp_path):
  (tmp_path / "rise").symlink_to(video_folder / "rise")
  _whole(tmp_path)
  assert len(read_listed(tmp_path).rows) == 6


def test_braces():
  assert [*expand_braces("a{1,b}-{08..10}")] == [
    f"a{first}-{last}" for first in "1b" for last in ("08", "09", "10")
  ]


def test_groups_of_json_stay_together(tmp_path):
  films = {"a": "film", "b": "film", "c": 7, "d": None}
  files = [(f"{key}.mp4", b"") for key in films]
  files += [
    (f"{key}.json", json.dumps({"label": "x", "group": film}).encode())
    for key, film in films.items()
  ]
  table = read_listed(write_shard(tmp_path / "x.tar", files))
  assert [row.group for row in table.rows] == ["film", "film", "7", ""]


def test_json_with_labels_of_a_run_of_several(tmp_path):
  rows = {"a": ["x", "y"], "b": ["y"]}
  files = [(f"{key}.mp4", b"") for key in rows]
  files += [
    (f"{key}.json", json.dumps({"labels": names}).encode())
    for key, names in rows.items()
  ]
  source = file_sources(write_shard(tmp_path / "x.tar", files), 0.0)["train"]
  assert source.multi_label
  assert [source[i]["label"] for i in range(2)] == [{0, 1}, {1}]
