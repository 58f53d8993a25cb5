"""The table of temporal operators: which backbones have their slots.

python -m temporal_jax.models.catalog.operators_page > docs/operators.md
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from temporal_jax.models.backbones.big_little import BigLittleNet
from temporal_jax.models.backbones.convnext import ConvNeXt
from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.network import Network
from temporal_jax.models.operators import OPERATORS, resolve

_HEAD = """\
# Operators and backbones

What `create_model(name, num_classes=L, temporal=OPERATOR)` can put into the
temporal slots of a backbone; anything else is refused with the slots there are.
`VideoTextModel` (ILA, X-CLIP) takes what `VisionTransformer` takes, and
R(2+1)D is `ResNet3D` with factorised convolutions. The causal ones need no
later frame: with them ResNet, bLResNet, ConvNeXt and VisionTransformer run in a
stream, frame by frame.

Operators take heads, dtype, biases of replaced layers and the kind of norm of
their backbone: heads of `joint`, `divided`, `aligned` and `messages` are as
many as the backbone's, those within `adaptive_branch` and `adaptive_branches`
as wide. What is the papers' own stays whatever the backbone is: the 64 channels
and the windows of 9 x 9 in which `arithmetic` compares, the 128 of `alignment`,
the epsilon of new norms, the activation and the norm of route functions. What
does not fit is refused, such as a shift of an eighth of 4 channels.

Made by
`python -m temporal_jax.models.catalog.operators_page > docs/operators.md`.
"""
# Any network of a class has its slots.
BACKBONES: Mapping[str, Network] = MappingProxyType(
  {
    "ResNet": ResNet(1),
    "BigLittleNet": BigLittleNet(1),
    "ConvNeXt": ConvNeXt(1),
    "ResNet3D": ResNet3D(1),
    "R(2+1)D": ResNet3D(1, factorised=True),
    "SlowFast": SlowFast(1),
    "VisionTransformer": VisionTransformer(1),
  }
)


def lines() -> Iterator[str]:
  """Yields the page, a row an operator."""
  yield _HEAD
  yield f"| operator | slots | {' | '.join(BACKBONES)} |"
  yield "|" + "---|" * (len(BACKBONES) + 2)
  for name in OPERATORS:
    filled = [_fill(name, network) for network in BACKBONES.values()]
    slots = sorted(set().union(*(slots for slots in filled if slots)))
    slots = ", ".join(f"`{slot}`" for slot in slots)
    cells = ["" if slots is None else "yes" for slots in filled]
    yield f"| `{name}` | {slots} | {' | '.join(cells)} |"


def _fill(name: str, network: Network) -> set[str] | None:
  """Returns the slots an operator fills, None where there are none such."""
  temporal = resolve(name, network)
  try:
    network.clone(temporal=temporal)
  except ValueError:
    return None
  return temporal.filled()


if __name__ == "__main__":
  for line in lines():
    print(line)
