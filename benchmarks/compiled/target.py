"""Chips that need not be there, as targets of compilation."""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
from jax.experimental import topologies

from benchmarks.compiled.chips import GPUS, TPUS, Chip
from temporal_jax import training


def _is_installed(module: str) -> bool:
  """Whether a module, maybe of a package, can be imported."""
  try:
    return importlib.util.find_spec(module) is not None
  except ModuleNotFoundError:  # The package around it is missing.
    return False


class Target(NamedTuple):
  """A kind of chips.

  Attributes:
    platform: Its name in jax.
    chips: The chips by name.
    device: Returns one chip by its name.
    text_file: Pattern of the file that XLA writes a program's text to when
      layouts and buffers are known.
    packages: Modules that must be installed, and the packages that have them.
    install: Command that installs them.
    environment: Environment of a process that compiles.
    flags: Flags for XLA.
  """

  platform: str
  chips: Mapping[str, Chip]
  device: Callable[[str], jax.Device]
  text_file: str
  packages: Mapping[str, str]
  install: str
  environment: Mapping[str, str] = MappingProxyType({})
  flags: tuple[str, ...] = ()

  def check_installed(self) -> None:
    """Raises ImportError if a module is not installed."""
    missing = [name for name in self.packages if not _is_installed(name)]
    if missing:
      raise ImportError(
        f"compiling for {', '.join(self.chips)} needs {', '.join(missing)}: run "
        f"{self.install}."
      )

  def versions(self) -> dict[str, str]:
    """Returns the versions of jax and of the packages."""
    versions = {
      name: importlib.metadata.version(name) for name in self.packages.values()
    }
    return {"jax": jax.__version__, **versions}

  def lower(self, function: Any, shapes: Any, device: jax.Device) -> jax.stages.Lowered:
    """Lowers a function of arrays on a device."""
    sharding = jax.sharding.SingleDeviceSharding(device)
    placed = training.with_shardings(shapes, sharding)
    return jax.jit(function).trace(*placed).lower(lowering_platforms=(self.platform,))


def _tpu(chip: str) -> jax.Device:
  topology = topologies.get_topology_desc(
    platform="tpu",
    topology_name=f"{chip}:1x1x1",
    chips_per_host_bounds=(1, 1, 1),
  )
  return topology.devices[0]


TPU = Target(
  platform="tpu",
  chips=TPUS,
  device=_tpu,
  text_file="*.after_optimizations_after_buffer_assignment.txt",
  packages=MappingProxyType({"libtpu": "libtpu"}),
  install="`pip install '.[tpu]'` in a copy of the repository",
  # By default libtpu asks a server in Google's cloud about its machine, with
  # many retries, and lets only one process use it.
  environment=MappingProxyType(
    {"ALLOW_MULTIPLE_LIBTPU_LOAD": "1", "TPU_SKIP_MDS_QUERY": "1"}
  ),
)

# Facts that XLA asks a GPU for. Both chips are a GH100 (SXM) and have their
# drivers' names.
_HOPPER = """
gpu_device_info {{
  cuda_compute_capability {{ major: 9 minor: 0 }}
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: 233472
  threads_per_core_limit: 2048
  core_count: 132
  fpus_per_core: 128
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: {bandwidth:.0f}
  l2_cache_size: 52428800
  clock_rate_ghz: {clock:.2f}
  device_memory_size: {memory:.0f}
  shared_memory_per_block_optin: 232448
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}}
platform_name: "CUDA"
dnn_version_info {{ major: 9 minor: 8 patch: 0 }}
runtime_version {{ major: 12 minor: 8 patch: 0 }}
device_description_str: "{name}"
"""
_GPU_NAMES = MappingProxyType({"h100": "NVIDIA H100 80GB HBM3", "h200": "NVIDIA H200"})


def _gpu(chip: str) -> jax.Device:
  facts = GPUS[chip]
  config = _HOPPER.format(
    bandwidth=facts.bandwidth,
    clock=facts.clock / 1e9,
    memory=facts.memory,
    name=_GPU_NAMES[chip],
  )
  topology = topologies.get_topology_desc(
    "1x1x1", "cuda", topology="1x1x1", target_config=config
  )
  return topology.devices[0]


GPU = Target(
  platform="cuda",
  chips=GPUS,
  device=_gpu,
  text_file="*gpu_after_optimizations.txt",
  packages=MappingProxyType(
    {
      "jax_cuda12_plugin": "jax-cuda12-plugin",
      "jax_plugins.xla_cuda12": "jax-cuda12-pjrt",
      "nvidia.cudnn": "nvidia-cudnn-cu12",
    }
  ),
  install="`pip install 'jax[cuda12-local]' nvidia-cudnn-cu12 nvidia-cuda-nvcc-cu12`",
  # Without a GPU nothing can be tried out.
  flags=("--xla_gpu_autotune_level=0",),
)
