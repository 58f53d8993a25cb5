"""Strict settings for all tests: dtypes, ranks, eight simulated devices."""

import atexit
import importlib.metadata
import os
import pathlib
import shutil
import tempfile

# Before jax is imported anywhere.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Most of the time goes into compiling: it is told to optimise less, to use the
# emitters that compile faster, and to leave the other cores to other tests.
os.environ["XLA_FLAGS"] = (
  os.environ.get("XLA_FLAGS", "")
  + " --xla_force_host_platform_device_count=8"
  + " --xla_backend_optimization_level=0"
  + " --xla_llvm_disable_expensive_passes=true"
  + " --xla_cpu_parallel_codegen_split_count=1"
)
# XLA ends the process at a flag that it does not know, as newer ones this.
if importlib.metadata.version("jaxlib").startswith("0.10."):
  os.environ["XLA_FLAGS"] += " --xla_cpu_use_fusion_emitters=false"
# Programs compiled once serve all workers of this run, and their children.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
  compiled = tempfile.mkdtemp(prefix="temporal_jax_compiled_")
  atexit.register(shutil.rmtree, compiled, ignore_errors=True)
  os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled
  os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
  os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import jax
import numpy as np
import pytest

from temporal_jax.data.video.encoding import encode_mp4

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_default_matmul_precision", "highest")


_SLOW_CASES = pathlib.Path(__file__).with_name("slow_cases.txt")


@pytest.hookimpl(tryfirst=True)  # Before cases are chosen by their marks.
def pytest_collection_modifyitems(config, items):
  """Marks the cases of slow_cases.txt, most of them one of many parameters."""
  lines = _SLOW_CASES.read_text().splitlines()
  listed = {line for line in lines if not line.startswith("#")}
  found = {item.nodeid: item for item in items if item.nodeid in listed}
  for item in found.values():
    item.add_marker(pytest.mark.slow)
  whole = config.args == config.getini("testpaths")
  if whole and len(found) < len(listed):
    lost = sorted(listed - set(found))
    raise pytest.UsageError(f"{_SLOW_CASES.name} lists cases that do not exist: {lost}")


@pytest.fixture(scope="module", autouse=True)
def _forget_compiled():
  """Compiled functions of one file are of no use to the next."""
  yield
  jax.clear_caches()


def make_frames(count: int, *, size: int = 32, start: int = 0) -> np.ndarray:
  """Frames whose mean brightness tells their number: 20 + 8 (start + i)."""
  values = 20 + 8 * (start + np.arange(count))
  frames = np.ones((count, size, size, 3)) * values[:, None, None, None]
  return frames.astype(np.uint8)


def frame_numbers(frames: np.ndarray) -> list[int]:
  """Reads the numbers of `make_frames` back."""
  means = frames.mean(axis=(1, 2, 3))
  return [round((mean - 20) / 8) for mean in means]


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory):
  """root/class/video.mp4: brightness rises, or falls, over time."""
  root = tmp_path_factory.mktemp("videos")
  for name, step in (("rise", 1), ("fall", -1)):
    (root / name).mkdir()
    for i in range(6):
      frames = make_frames(10, start=i)[::step]
      (root / name / f"{i}.mp4").write_bytes(encode_mp4(frames, fps=10))
  return root
