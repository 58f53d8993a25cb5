import os
import shutil

import numpy as np
import pytest

from temporal_jax import data, inference
from temporal_jax.data.views.read_views import read_views
from temporal_jax.inference.text_search import search_videos
from temporal_jax.inference.text_search.video_index import load_index
from tests.support import saved_video_text as small


@pytest.fixture
def root(video_folder, tmp_path):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  shutil.rmtree(root / "fall")
  return root


@pytest.fixture(scope="module")
def saved():
  """Looks at two clips of each video."""
  saved = small.make_saved()
  return saved._replace(protocol=_with(saved.protocol, num_clips=2))


def _with(protocol, **changes):
  return type(protocol)(**{**vars(protocol), **changes})


@pytest.fixture(scope="module")
def made(saved):
  """One that is compiled, for all tests."""
  return inference.VideoEncoder(saved, batch_size=2)


@pytest.fixture
def create(saved, made, monkeypatch):
  monkeypatch.setattr(search_videos, "VideoEncoder", lambda *_, **__: made)
  return lambda file: inference.VideoSearch(saved, file)


def _similarity(file, text):
  """Similarity to the mean of the two views, by hand."""
  with data.open_reader(str(file)) as reader:
    clips = read_views(reader, _with(small.make_saved().protocol, num_clips=2))
  _, aux = small.apply(clips, small.encode_texts([text]))
  views = np.asarray(aux["features"])
  video = sum(view / np.linalg.norm(view) for view in views)
  (query,) = small.encode_texts([text])
  return video @ query / np.linalg.norm(video) / np.linalg.norm(query)


def test_the_best_come_first(root, tmp_path, create):
  videos = create(tmp_path / "index.npz")
  update = videos.update(root)
  assert update == (6, 0, (), {})
  found = videos("a dog runs", 4)
  want = {
    f"rise/{i}.mp4": _similarity(root / "rise" / f"{i}.mp4", "a dog runs")
    for i in range(6)
  }
  assert [one.file for one in found] == sorted(want, key=want.get, reverse=True)[:4]
  for file, similarity in found:
    assert similarity == pytest.approx(want[file], abs=1e-5)
  again = create(tmp_path / "index.npz")
  assert again("a dog runs", 4) == found


def test_only_what_changed_is_computed(root, tmp_path, create):
  file = tmp_path / "index.npz"
  create(file).update(root)
  before = load_index(file).entries
  (root / "rise" / "0.mp4").unlink()
  shutil.copy(root / "rise" / "5.mp4", root / "rise" / "1.mp4")
  os.utime(root / "rise" / "2.mp4", ns=(1, 1))
  (root / "new.mp4").write_bytes(b"no video")
  videos = create(file)
  update = videos.update(root)
  assert update[:3] == (2, 3, ("rise/0.mp4",))
  assert list(update.bad) == ["new.mp4"]
  after = load_index(file).entries
  assert after.keys() == {f"rise/{i}.mp4" for i in range(1, 6)}
  for i in (3, 4, 5):
    np.testing.assert_array_equal(
      after[f"rise/{i}.mp4"].features, before[f"rise/{i}.mp4"].features
    )
  np.testing.assert_array_equal(
    after["rise/1.mp4"].features, before["rise/5.mp4"].features
  )
  assert after["rise/2.mp4"].mtime_ns == 1


def test_what_was_computed_before_a_stop_is_kept(root, tmp_path, create):
  def stop(scored, total):
    assert total == 6
    for _, one in zip(range(2), scored, strict=False):
      yield one
    raise KeyboardInterrupt

  file = tmp_path / "index.npz"
  with pytest.raises(KeyboardInterrupt):
    create(file).update(root, track=stop)
  assert len(load_index(file).entries) == 2
  assert create(file).update(root)[:2] == (4, 2)
  assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["index.npz"]


def test_the_index_of_another_network_is_refused(root, tmp_path, saved, create):
  file = tmp_path / "index.npz"
  create(file).update(root)
  for other, message in (
    (saved._replace(name="ila_vit_b32"), "model xclip_b32, not ila_vit_b32"),
    (saved._replace(protocol=small.make_saved().protocol), "with protocol"),
    (
      saved._replace(description={**saved.description, "sha256": "0a"}),
      r"with sha256 \w{64}, not 0a",
    ),
  ):
    with pytest.raises(ValueError, match=message):
      inference.VideoSearch(other, file)


def test_what_cannot_be_searched(root, tmp_path, saved, create):
  file = tmp_path / "index.npz"
  with pytest.raises(ValueError, match="is empty: update it first"):
    create(file)("a dog")
  with pytest.raises(ValueError, match="k must be at least 1, got 0"):
    create(file)("a dog", 0)
  with pytest.raises(FileNotFoundError, match="is no folder"):
    create(tmp_path / "none" / "index.npz")
  (tmp_path / "bad").mkdir()
  with pytest.raises(ValueError, match="there is no video in"):
    create(file).update(tmp_path / "bad")
  (tmp_path / "bad" / "a.mp4").touch()
  with pytest.raises(ValueError, match=r"can be read; a\.mp4: the file is emp"):
    create(file).update(tmp_path / "bad")
  create(file).update(root)
  with pytest.raises(ValueError, match="none of the 6 videos of"):
    create(file).update(tmp_path / "bad")
  for content in (b"", b"PK\x03\x04", b"text"):
    file.write_bytes(content)
    with pytest.raises(ValueError, match="holds no index of videos"):
      create(file)


def test_features_that_are_no_numbers_are_never_indexed(
  root, tmp_path, create, monkeypatch
):
  file = tmp_path / "index.npz"
  videos = create(file)
  score = search_videos.score_files

  def broken(encode, todo, protocol):
    for scored in score(encode, todo, protocol):
      rows = scored.rows.copy()
      rows[0, 0] = np.nan if scored.file.endswith("3.mp4") else rows[0, 0]
      yield scored._replace(rows=rows)

  monkeypatch.setattr(search_videos, "score_files", broken)
  with pytest.raises(ValueError, match=r"NaN or infinite: rise/3\.mp4"):
    videos.update(root)
  assert sorted(load_index(file).entries) == [f"rise/{i}.mp4" for i in range(3)]
