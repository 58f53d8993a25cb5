"""Processes of commands: compiled programs kept, huge pages, few imports."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from temporal_jax import process_setup
from tests.support.tiny_predictor import write_noise

ROOT = pathlib.Path(__file__).parents[1]
# Third-party packages that `predict` may import, and what those import.
MAY_IMPORT = {
  *("jax", "jaxlib", "numpy", "ml_dtypes", "opt_einsum", "flatbuffers"),
  *("flax", "einops", "optax", "absl", "av", "rich", "pygments", "google"),
  *("orbax", "safetensors", "tensorstore", "etils", "msgpack", "yaml", "filelock"),
  *("humanize", "simplejson", "uvloop", "cloudpickle", "zstandard"),
  *("typing_extensions", "temporal_jax"),
}
_IMPORTED = """
import json, sys
from temporal_jax import cli
code = cli.main(["predict", sys.argv[1], "--model", "camera_motion"])
tops = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([code, sorted(tops - sys.stdlib_module_names)]))
"""


def _environment(**changes):
  kept = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("JAX_COMPILATION")
    and name not in ("GLIBC_TUNABLES", "TEMPORAL_JAX_RESTARTED")
  }
  return {**kept, **changes}


def _predict(video, **changes):
  return subprocess.run(
    [sys.executable, "-m", "temporal_jax", "predict", video]
    + ["--model", "camera_motion"],
    cwd=ROOT,
    env=_environment(**changes),
    capture_output=True,
    text=True,
    check=False,
  )


@pytest.fixture(scope="module")
def video(tmp_path_factory):
  folder = tmp_path_factory.mktemp("video")
  return write_noise(folder / "noise.mp4", 9, (48, 48))


def test_predict_imports_only_what_it_needs(video):
  done = subprocess.run(
    [sys.executable, "-c", _IMPORTED, video],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
  )
  code, names = json.loads(done.stdout.splitlines()[-1])
  assert code == 0
  # Modules that begin with an underscore are Python's or another package's.
  names = {name for name in names if not name.startswith("_")}
  assert names - MAY_IMPORT - {"cython_runtime"} == set()


def test_a_second_process_compiles_nothing(video, tmp_path):
  cache = tmp_path / "kept here"
  first = _predict(video, TEMPORAL_JAX_CACHE=str(cache))
  assert (first.returncode, first.stderr) == (0, "")
  programs = {file: file.stat().st_mtime_ns for file in cache.glob("*/*-cache")}
  assert programs
  second = _predict(video, TEMPORAL_JAX_CACHE=str(cache))
  assert (second.stdout, second.stderr) == (first.stdout, "")
  assert programs == {file: file.stat().st_mtime_ns for file in cache.glob("*/*-cache")}
  for file in programs:  # Another process was killed while it wrote.
    file.write_bytes(file.read_bytes()[:100])
  damaged = _predict(video, TEMPORAL_JAX_CACHE=str(cache))
  assert (damaged.returncode, damaged.stdout) == (0, first.stdout)


@pytest.mark.parametrize(
  ("environment", "folder"),
  [
    ({"HOME": "/home/ann"}, "/home/ann/.cache/temporal_jax"),
    ({"HOME": "/home/ann", "XDG_CACHE_HOME": "/x"}, "/x/temporal_jax"),
    # The specification has relative paths ignored.
    ({"HOME": "/h", "XDG_CACHE_HOME": "x"}, "/h/.cache/temporal_jax"),
    ({"XDG_CACHE_HOME": "/x", "TEMPORAL_JAX_CACHE": "/kept"}, "/kept"),
    ({"HOME": "/home/ann", "TEMPORAL_JAX_CACHE": "~/c"}, "/home/ann/c"),
    ({"XDG_CACHE_HOME": "/x", "TEMPORAL_JAX_CACHE": ""}, None),
    ({"XDG_CACHE_HOME": "/x", "TEMPORAL_JAX_CACHE": "0"}, None),
  ],
)
def test_folder_of_programs(environment, folder, monkeypatch):
  monkeypatch.setattr(sys, "platform", "linux")
  monkeypatch.setenv("HOME", environment.get("HOME", "/nobody"))
  found = process_setup._cache_folder(environment)
  assert (found and str(found.parent)) == folder


def test_programs_are_kept_where_jax_was_imported_before(tmp_path):
  code = """
import jax
from temporal_jax import process_setup
process_setup.keep_compiled()
jax.jit(lambda x: x + 1)(1)
"""
  subprocess.run(
    [sys.executable, "-c", code],
    cwd=ROOT,
    env=_environment(TEMPORAL_JAX_CACHE=str(tmp_path)),
    check=True,
  )
  assert list(tmp_path.glob("*/*-cache"))


@pytest.mark.parametrize("place", ["file", "below a file", "nowhere"])
def test_without_a_folder_nothing_is_kept(place, tmp_path, monkeypatch):
  (tmp_path / "file").touch()
  path = {
    "file": tmp_path / "file",
    "below a file": tmp_path / "file" / "cache",
    "nowhere": pathlib.Path("/proc/cache"),
  }[place]
  monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
  monkeypatch.setenv("TEMPORAL_JAX_CACHE", str(path))
  monkeypatch.delitem(sys.modules, "jax")
  process_setup.keep_compiled()
  assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def test_what_the_user_set_for_jax_stays(tmp_path, monkeypatch):
  monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "mine")
  monkeypatch.setenv("TEMPORAL_JAX_CACHE", str(tmp_path / "unused"))
  process_setup.keep_compiled()
  assert os.environ["JAX_COMPILATION_CACHE_DIR"] == "mine"
  assert not (tmp_path / "unused").exists()


def test_the_oldest_programs_go_first(tmp_path):
  for i in range(5):
    (tmp_path / str(i)).write_bytes(bytes(10))
    os.utime(tmp_path / str(i), (i, i))
  process_setup._shrink(tmp_path, 50)
  assert len(list(tmp_path.iterdir())) == 5
  process_setup._shrink(tmp_path, 29)
  assert sorted(file.name for file in tmp_path.iterdir()) == ["3", "4"]
  process_setup._shrink(tmp_path / "gone", 0)


@pytest.mark.parametrize(
  ("library", "pages", "environment", "wanted"),
  [
    ("glibc 2.36", "always [madvise] never", {}, True),
    ("glibc 2.35", "always [madvise] never", {}, True),
    ("glibc 2.34", "always [madvise] never", {}, False),
    ("glibc 3.0", "always [madvise] never", {}, True),
    (None, "always [madvise] never", {}, False),
    ("musl 1.2", "always [madvise] never", {}, False),
    ("glibc 2.36", "always madvise [never]", {}, False),
    ("glibc 2.36", "[always] madvise never", {}, False),
    ("glibc 2.36", None, {}, False),
    ("glibc 2.36", "[madvise]", {"GLIBC_TUNABLES": ""}, False),
    ("glibc 2.36", "[madvise]", {"TEMPORAL_JAX_RESTARTED": "1"}, False),
  ],
)
def test_where_huge_pages_help(
  library, pages, environment, wanted, monkeypatch, tmp_path
):
  monkeypatch.setattr(os, "confstr", lambda name: library, raising=False)
  if pages is not None:
    (tmp_path / "enabled").write_text(f"{pages}\n")
  monkeypatch.setattr(process_setup, "_THP", tmp_path / "enabled")
  assert process_setup._takes_huge_pages(environment) is wanted


# A process that is restarted, whatever this machine has.
_RESTARTED = """
import os, pathlib, signal, sys, time
from temporal_jax import process_setup
takes = process_setup._takes_huge_pages
process_setup._takes_huge_pages = lambda env: "TEMPORAL_JAX_RESTARTED" not in env
print(os.getpid(), os.environ.get("GLIBC_TUNABLES"), flush=True)
process_setup.use_huge_pages()
assert "jax" not in sys.modules
print(sys.argv[1:], sys.stdin.readline(), flush=True)
if sys.argv[1] == "wait":
  time.sleep(60)
sys.exit(int(sys.argv[1]))
"""


def _restarted(*words):
  return subprocess.Popen(
    [sys.executable, "-c", _RESTARTED, *words],
    cwd=ROOT,
    env=_environment(),
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
  )


def test_a_restarted_process_is_the_same_to_others():
  with _restarted("7", "a b", "*") as process:
    out, _ = process.communicate("from a pipe\n", timeout=60)
  first, second, words = out.splitlines()[:3]
  assert first == f"{process.pid} None"
  assert second == f"{process.pid} glibc.malloc.hugetlb=1"
  assert words == "['7', 'a b', '*'] from a pipe"
  assert process.returncode == 7


def test_a_restarted_process_gets_signals():
  with _restarted("wait") as process:
    process.stdin.write("\n")
    process.stdin.flush()
    for _ in range(3):
      process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == -signal.SIGTERM


@pytest.mark.parametrize(
  ("words", "set_up"),
  [
    (["predict", "clip.mp4"], True),
    (["serve", "runs/demo"], True),
    (["predict", "--help"], False),
    (["models"], False),
    (["data", "inspect", "clips"], False),
    (["--help"], False),
    ([], False),
  ],
)
def test_only_processes_that_compute_are_set_up(words, set_up, monkeypatch):
  from temporal_jax import cli

  done = []
  monkeypatch.setattr(sys, "argv", ["temporal-jax", *words])
  monkeypatch.setattr(process_setup, "use_huge_pages", lambda: done.append("pages"))
  monkeypatch.setattr(process_setup, "keep_compiled", lambda: done.append("cache"))
  monkeypatch.setattr(
    process_setup, "collect_garbage_less", lambda: done.append("garbage")
  )
  monkeypatch.setattr(cli, "main", lambda words: len(words))
  assert cli.run_process() == len(words)
  assert done == (["pages", "cache", "garbage"] if set_up else [])
