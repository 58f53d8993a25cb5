"""Features in all layouts, and files that are damaged or made to do harm."""

import json
import os
import pickle

import h5py
import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.data import annotations
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.localization import features
from temporal_jax.localization.features import FeatureKind, FeatureSettings
from tests.conftest import make_frames
from tests.support.saved_models import brightness_model

VALUES = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
SETTINGS = FeatureSettings(stride=8, window=16, fps=30)
# Content of a file of `temporal-jax extract`.
EXTRACTED = {
  "features": VALUES,
  "times": np.arange(5.0),
  "fps": 25.0,
  "stride": 4,
  "window": 12,
  "offset": 0,
  "duration": 1.2,
  "video_frames": 30,
  "feature": "pooled",
  "model": "resnet18",
  "settings": json.dumps({"sha256": "ab", "window": 12}),
}


def _npz(file, **changes):
  arrays = {**EXTRACTED, **changes}
  np.savez(file, **{k: v for k, v in arrays.items() if v is not None})
  return file


def test_what_extract_writes_says_all(tmp_path):
  file = _npz(tmp_path / "film.npz")
  got = features.read_features(file)
  np.testing.assert_array_equal(got.values, VALUES)
  assert (got.stride, got.window, got.fps, got.offset) == (4, 12, 25, 0)
  assert got.duration == 1.2
  assert got.kind == FeatureKind(3, 4, 12, "resnet18", "pooled", "ab")
  assert features.describe_features(file).length == 5
  features.read_features(file, FeatureSettings(stride=4, width=3))
  for settings, message in (
    (FeatureSettings(stride=8), "film.npz .*: their stride must be 8, got 4"),
    (FeatureSettings(window=16), "their window must be 16, got 12"),
    (FeatureSettings(fps=30), "their fps must be 30, got 25"),
    (FeatureSettings(width=4), r"their width must be 4, got 3 in \(5, 3\)\.$"),
    (FeatureSettings(width=5), r"got 3 in \(5, 3\); they seem to be \(C, T\)"),
  ):
    with pytest.raises(ValueError, match=message):
      features.describe_features(file, settings)


def test_durations_may_differ_a_little_from_positions(tmp_path):
  values = np.zeros((500, 3), np.float32)  # The last middle is at 80.08 s.
  for duration, is_good in ((79.2, True), (78.9, False), (800, True), (810, False)):
    file = _npz(tmp_path / "film.npz", features=values, duration=duration)
    if is_good:
      assert features.read_features(file).duration == duration
    else:
      with pytest.raises(ValueError, match=r"their duration must be from 79\.08 to 80"):
        features.read_features(file)
  file = _npz(tmp_path / "film.npz", stride=1e6, fps=1e-3, duration=None)
  with pytest.raises(ValueError, match=r"end after 5.*, at most 3.* are allowed"):
    features.read_features(file)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, 1e-300, 1e9, "30", True])
@pytest.mark.parametrize("name", ["stride", "window", "fps"])
def test_settings_are_numbers_that_can_be(tmp_path, name, value):
  settings = FeatureSettings(**{name: value})
  with pytest.raises(ValueError, match=f"^{name} must be a number in .*, got "):
    features.read_features(_npz(tmp_path / "film.npz"), settings)
  with pytest.raises(ValueError, match=f"^{name} must be a number in .*, got "):
    features.FeatureStore(tmp_path, settings=settings)


def test_files_of_extract_are_read(tmp_path):
  saved = brightness_model()
  extractor = inference.FeatureExtractor(saved, window=8, stride=4, batch_size=2)
  video = tmp_path / "video.mp4"
  video.write_bytes(encode_mp4(make_frames(20), fps=10))
  out = tmp_path / "video.npz"
  assert inference.extract_files(extractor, {str(video): out}).written == 1
  got = features.read_features(out)
  with np.load(out) as file:
    np.testing.assert_array_equal(got.values, file["features"])
    np.testing.assert_allclose(got.seconds(np.arange(4)), file["times"])
  assert (got.duration, got.kind.model, got.kind.feature) == (2, "brightness", "pooled")
  assert len(got.kind.weights) == 64


def test_published_layouts_take_the_facts_of_the_config(tmp_path):
  np.save(tmp_path / "a.npy", VALUES.astype(np.float64))
  np.savez(tmp_path / "b.npz", feats=VALUES, other=np.zeros(3))
  np.savez(tmp_path / "c.npz", VALUES)
  with h5py.File(tmp_path / "d.h5", "w") as file:
    file["film"] = VALUES
    file.create_dataset("v_x/c3d_features", data=VALUES, compression="gzip")
    file["film"].attrs["stride"] = 8
    file.attrs["fps"] = 30.0
  with h5py.File(tmp_path / "e.h5", "w") as file:
    file["anything"] = VALUES
  for name, key in (
    ("a.npy", ""),
    ("b.npz", ""),
    ("c.npz", ""),
    ("d.h5", "film"),
    ("d.h5", "v_x"),
    ("d.h5", "v_x/c3d_features"),
    ("e.h5", ""),
  ):
    got = features.read_features(tmp_path / name, SETTINGS, key=key)
    np.testing.assert_array_equal(got.values, VALUES)
    assert got.values.dtype == np.float32
    assert (got.stride, got.window, got.fps, got.duration) == (8, 16, 30, None)
    assert got.kind == FeatureKind(3, 8, 16)
  # The film's own frames per second are the last resort.
  unknown = SETTINGS._replace(fps=None)
  assert features.read_features(tmp_path / "a.npy", unknown, fps=24.0).fps == 24
  message = r"their stride, fps is known neither from .* --fps .* data.feature_stride, "
  with pytest.raises(ValueError, match=message):
    features.read_features(tmp_path / "a.npy", FeatureSettings(window=16))
  with pytest.raises(ValueError, match=r"no single array, but \['film', 'v_x'\] \(2\)"):
    features.read_features(tmp_path / "d.h5", SETTINGS)
  settings = SETTINGS._replace(stride=4)
  with pytest.raises(ValueError, match="their stride must be 4, got 8"):
    features.read_features(tmp_path / "d.h5", settings, key="film")


@pytest.mark.parametrize(
  ("part", "value", "message"),
  [
    ("features", None, "one array must be called features or feats"),
    ("features", VALUES[0], r"must be float of shape \(T, C\).* got float of \(3,\)"),
    ("features", VALUES[None], r"\(1, 5, 3\)"),
    ("features", VALUES[:0], r"\(0, 3\)"),
    ("features", VALUES[:, :0], r"\(5, 0\)"),
    ("features", VALUES.astype(int), "got integer of"),
    ("features", VALUES.astype(object), "allowed are numbers and text"),
    (
      "features",
      np.where(np.arange(5)[:, None] == 2, np.nan, VALUES),
      "1 of 5 .* first .* 2",
    ),
    ("features", VALUES.astype(np.float64) * 1e300, "NaN or infinite"),
    ("stride", 0, r"their stride must be in \[1e-06, 1e\+06\], got 0"),
    ("window", -1, "their window must be"),
    ("fps", np.nan, "their fps must be"),
    ("fps", np.inf, "their fps must be"),
    ("duration", 0.0, "their duration must be"),
    ("fps", 1e-300, "their fps must be in .* got 1e-300"),
    ("fps", 1e9, "their fps must be in .* got 1e"),
    ("duration", np.inf, "their duration must be finite and above 0, got inf"),
    ("offset", np.nan, "their offset must be"),
    ("offset", np.inf, "their offset must be finite, got inf"),
    ("offset", -500, r"their offset must be in \[-12, 1e\+06\] frames.*, got -500"),
    ("offset", 1e9, "their offset must be in"),
    ("stride", 1e6, "their duration must be from 159999 to"),
    ("duration", 1200, "their duration must be from 0 to 12.8 s, .* got 1200"),
    ("stride", np.array([4, 4]), "stride must be integer or float of shape"),
    ("stride", "4", "stride must be integer or float"),
    ("model", 3, "model must be text"),
    ("settings", "[]", "settings must be a JSON object"),
    ("settings", "{", "settings is not JSON"),
    ("settings", '{"sha256": 3}', "sha256 must be text"),
    ("settings", '{"whole_short_side": 0}', "whole_short_side must be an integer"),
    ("settings", '{"fps": "30"}', "fps must be a number"),
    ("settings", "[" * 100_000, "nested deeper"),
  ],
)
def test_a_wrong_part_is_named(tmp_path, part, value, message):
  file = _npz(tmp_path / "film.npz", **{part: value})
  with pytest.raises(ValueError, match=message) as caught:
    features.read_features(file)
  assert str(file) in str(caught.value)
  assert len(str(caught.value)) < 1000


class _Harm:
  """Unpickling it would raise another error."""

  def __reduce__(self):
    return exec, ("raise KeyboardInterrupt",)


def test_other_files_are_refused(tmp_path):
  pickled = pickle.dumps(_Harm())
  np.save(tmp_path / "good.npy", VALUES)
  good = (tmp_path / "good.npy").read_bytes()
  for name, content, message in (
    ("a.pkl", pickled, "pickles .* can run code and are not read"),
    ("a.npy", pickled, "holds no usable features"),
    ("b.npy", b"", "holds no usable features"),
    ("c.npy", good[:-1], "declared with 60 bytes, its member has 59"),
    ("d.npy", good + b"x", "declared with 60 bytes"),
    ("e.npy", good.replace(b"(5, 3)", b"(9**9)"), "holds no usable features"),
    ("f.npy", good.replace(b"'<f4'", b"'|O4'"), "holds no usable features"),
    ("a.npz", good, "holds no usable features"),
    ("a.h5", good, "holds no usable features"),
    ("a.txt", good, "must end in one of .npz, .npy, .h5, .hdf5"),
  ):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
      features.read_features(file, SETTINGS, key="film")
    assert str(file) in str(caught.value)
  np.save(tmp_path / "object.npy", np.array([_Harm()]), allow_pickle=True)
  with pytest.raises(ValueError, match="allowed are numbers and text"):
    features.read_features(tmp_path / "object.npy", SETTINGS)
  for name in ("a.fifo.npy", "b.fifo.npz", "c.fifo.h5"):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match="must be a regular file"):
      features.read_features(tmp_path / name, SETTINGS, key="film")
  for name in ("none.npy", "none.npz", "none.h5"):
    with pytest.raises(FileNotFoundError):
      features.read_features(tmp_path / name, SETTINGS, key="film")


@pytest.fixture(scope="module")
def hostile_hdf5(tmp_path_factory):
  """Writes a file of features that lead elsewhere, or to far too many."""
  folder = tmp_path_factory.mktemp("hdf5")
  (folder / "secret.bin").write_bytes(VALUES.tobytes())
  with h5py.File(folder / "other.h5", "w") as other:
    other["film"] = VALUES
  with h5py.File(folder / "hostile.h5", "w") as file:
    file["film"] = VALUES
    file["soft"] = h5py.SoftLink("/film")
    file["external"] = h5py.ExternalLink("other.h5", "/film")
    file.create_dataset(
      "raw", (5, 3), "f4", external=[(str(folder / "secret.bin"), 0, 60)]
    )
    layout = h5py.VirtualLayout((5, 3), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "film", (5, 3))
    file.create_virtual_dataset("virtual", layout)
    file.create_dataset("huge", (10**6, 10**6), "f4", chunks=(100, 100))
    # Only some of its values are written.
    bomb = file.create_dataset("bomb", (2**12, 2**13), "f4", chunks=(8, 2**13))
    bomb[:8] = 1
    file.create_dataset("text", data=["a", "b"])
    file.create_dataset("objects", (2,), h5py.vlen_dtype(np.float32))
    file.create_dataset("record", (2, 2), [("a", "f4")])
    file.create_dataset("null", data=h5py.Empty("f4"))
    file["two/a"], file["two/b"] = VALUES, VALUES
    file["marked"] = VALUES
    file["marked"].attrs["stride"] = "8"
    file["many"] = VALUES
    file["many"].attrs["stride"] = np.zeros(9)
  return folder / "hostile.h5"


@pytest.mark.parametrize(
  ("key", "message"),
  [
    ("soft", "there is no array 'soft'"),
    ("external", "there is no array"),
    ("raw", "are in other files"),
    ("virtual", "are in other files"),
    ("huge", "bytes in 0 on disk|holds 4000000000000 bytes"),
    ("bomb", "declares 134217728 bytes"),
    ("text", "allowed are numbers and text"),
    ("objects", "allowed are numbers and text"),
    ("record", "allowed are numbers and text"),
    ("null", "is empty"),
    ("two", "there is no array"),
    ("none", "there is no array"),
    ("film/more", "there is no array"),
    ("../film", "there is no array"),
    ("", "there is no single array, but .*, ... "),
    ("/film", "there is no array"),
    ("marked", "attribute stride must be one number"),
    ("many", r"attribute stride must be one number, got float64 of \(9,\)"),
  ],
)
def test_hdf5_reads_nothing_else(hostile_hdf5, key, message):
  file = hostile_hdf5
  got = features.read_features(file, SETTINGS, key="film")
  np.testing.assert_array_equal(got.values, VALUES)
  with pytest.raises(ValueError, match=message) as caught:
    features.read_features(file, SETTINGS, key=key)
  assert str(file) in str(caught.value)


def test_hdf5_without_h5py_names_the_extra(tmp_path, monkeypatch):
  monkeypatch.setitem(__import__("sys").modules, "h5py", None)
  with pytest.raises(ImportError, match=r"pip install '\.\[hdf5\]'"):
    features.read_features(tmp_path / "a.h5", SETTINGS, key="film")


LIST = """path,start,end,label
films/a.mp4,0.1,0.5,run
b.mp4,0.2,0.6,jump
films/c.mp4,,,
"""


def _films(tmp_path, content=LIST):
  file = tmp_path / "list.csv"
  file.write_text(content)
  return annotations.read_segment_list(file)


def test_films_find_their_features(tmp_path):
  films = _films(tmp_path)
  root = tmp_path / "out"
  (root / "films").mkdir(parents=True)
  _npz(root / "films" / "a.npz")
  _npz(root / "b.npz")
  np.save(root / "c.npy", VALUES)
  settings = FeatureSettings(stride=4, window=12)
  store = features.FeatureStore(root, settings=settings._replace(width=3))
  with pytest.raises(ValueError, match=r"c\.npy .* their fps is known neither"):
    features.match_features(films, store)
  got, kind = features.match_features(films, store, on_error="skip")
  assert [film.id for film in got.films] == ["films/a", "b"]
  assert got.films[0].duration == 1.2
  assert kind == FeatureKind(3, 4, 12, "resnet18", "pooled", "ab")
  reason = "left out: a film whose features are damaged or of another kind"
  assert got.counts()[reason] == 1
  np.testing.assert_array_equal(store.read(got.films[1]).values, VALUES)

  (root / "c.npy").unlink()
  with pytest.raises(ValueError, match="the film 'films/c' has no features in"):
    features.match_features(films, store)
  _npz(root / "c.npz", model="other")
  with pytest.raises(ValueError, match="model 'other' instead of 'resnet18'"):
    features.match_features(films, store)
  _npz(root / "c.npz")
  assert len(features.match_features(films, store)[0].films) == 3
  detector = kind._replace(stride=16)
  with pytest.raises(ValueError, match=r"'films/a' have stride 4.0 instead of 16"):
    features.match_features(films, store, kind=detector)
  with pytest.raises(ValueError, match="no film is left"):
    features.match_features(films, store, kind=detector, on_error="skip")
  _npz(root / "b.npz", duration=0.15)
  with pytest.raises(ValueError, match=r"film 'b': .* past the end .* has 0\.15 s"):
    features.match_features(films, store)


def test_films_have_features_of_their_own(tmp_path):
  films = _films(tmp_path, LIST + "more/a.mp4,0,1,run\n")
  for name in "abc":
    _npz(tmp_path / f"{name}.npz")
  with pytest.raises(ValueError, match="'films/a' and 'more/a' would both have"):
    features.match_features(films, features.FeatureStore(tmp_path), on_error="skip")


def test_patterns_and_hdf5_name_features(tmp_path):
  films = _films(tmp_path, LIST.replace("films/", ""))
  for name in "abc":
    np.save(tmp_path / f"v_{name}.npy", VALUES)
  store = features.FeatureStore(tmp_path, settings=SETTINGS, pattern="v_{id}.npy")
  assert len(features.match_features(films, store)[0].films) == 3
  with h5py.File(tmp_path / "all.h5", "w") as file:
    for name in "ab":
      file[name] = VALUES
  store = features.FeatureStore(tmp_path / "all.h5", settings=SETTINGS)
  got, _ = features.match_features(films, store, on_error="skip")
  assert [film.id for film in got.films] == ["a", "b"]
  (tmp_path / "v_c.npy").unlink()
  with h5py.File(tmp_path / "v_c.h5", "w") as file:
    file["anything"] = VALUES
  store = features.FeatureStore(tmp_path, settings=SETTINGS, pattern="v_{id}.h5")
  np.testing.assert_array_equal(store.read(films.films[2]).values, VALUES)
  # Unknown durations are as long as the features allow: 5 * 8 + 16 frames.
  assert got.films[0].duration == pytest.approx(56 / 30)
  for root, pattern, message in (
    (tmp_path / "v_a.npy", "", "must be a folder of features or an HDF5 file"),
    (tmp_path, "v_.npy", r"pattern must contain \{id\}"),
    (tmp_path, "{id}_{x}.npy", r"only the fields \{id\} .* got '{id}_{x}\.npy'"),
    (tmp_path, "{id}_{.npy", r"pattern may have only the fields \{id\}"),
  ):
    with pytest.raises(ValueError, match=message):
      features.FeatureStore(root, pattern=pattern)
  with pytest.raises(FileNotFoundError, match="none is not there"):
    features.FeatureStore(tmp_path / "none")


@pytest.mark.parametrize("name", ["../secret", "/etc/secret", "a/../../secret", "x\0y"])
def test_names_lead_nowhere_else(tmp_path, name):
  inside = tmp_path / "inside"
  inside.mkdir()
  np.save(tmp_path / "secret.npy", VALUES)
  film = _films(tmp_path).films[0]._replace(id=name, path=f"{name}.mp4")
  store = features.FeatureStore(inside, settings=SETTINGS)
  with pytest.raises(FileNotFoundError, match="has no features"):
    store.find(film)
