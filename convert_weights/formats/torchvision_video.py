"""Rules of pytorch/vision's networks over time and space: R3D, MC3, R(2+1)D."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats.residual_parts import Names, Naming, resnet3d
from convert_weights.rules import Rule, linear
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.catalog.entry import TORCHVISION_VIDEO
from temporal_jax.models.network import Network

_NAMING = Naming(
  stem=Names("stem.0", "stem.1", "stem.0", "stem.1", "stem.3", "stem.4"),
  part=Names("conv*.0", "conv*.1", "conv*.0.0", "conv*.0.1", "conv*.0.3"),
  shortcut=Names("downsample.0", "downsample.1"),
  block=lambda stage: f"layer{stage}.{{b-1}}",
)


def rules(network: ResNet3D) -> list[Rule]:
  """Rules of a network that `takes` takes."""
  return [*resnet3d(network, _NAMING), *linear("head", "fc")]


def takes(network: Network) -> bool:
  """Returns whether the library has such networks."""
  if not isinstance(network, ResNet3D) or network.temporal.filled():
    return False
  strides = (network.stem_pool, *network.strides)
  if network.block != "basic" or strides != (False, 2, 1, 2, 2, 2):
    return False
  # A stage that strides over time spans several frames there.
  spans = tuple(1 + (taps > 1) for taps in network.taps[2:])
  if network.time_strides != (1, 1, *spans) or max(network.first_taps) > 1:
    return False
  if network.factorised:
    return network.shared_width and network.stem_inner_width == 45
  return network.taps[0] == 3


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="torchvision_video",
    origin="pytorch/vision",
    rules=rules,
    takes=takes,
    marks=(r"stem\.0\.weight", r"layer1\.0\.conv1\.0\.(0\.)?weight"),
    code_pixels=TORCHVISION_VIDEO,
  ),
)
