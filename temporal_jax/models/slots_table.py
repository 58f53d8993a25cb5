"""The table of temporal operators: which backbones have their slots.

python -m temporal_jax.models.slots_table > docs/operators.md
"""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from temporal_jax.models import pathway
from temporal_jax.models.big_little_net import BigLittleNet
from temporal_jax.models.convnext_net import ConvNeXt
from temporal_jax.models.operators import OPERATORS
from temporal_jax.models.resnet import ResNet
from temporal_jax.models.vision_transformer import VisionTransformer

_HEAD = """\
# Operators and backbones

What `create_model(name, num_classes=L, temporal=OPERATOR)` can put into the
temporal slots of a backbone; anything else is refused with the slots there are.
`VideoTextModel` (ILA, X-CLIP) takes what `VisionTransformer` takes, and
R(2+1)D is `ResNet3D` with factorised convolutions. Made by
`python -m temporal_jax.models.slots_table > docs/operators.md`.
"""
BACKBONES: Mapping[str, Collection[str]] = MappingProxyType(
  {
    "ResNet": ResNet.SLOTS,
    "BigLittleNet": BigLittleNet.SLOTS,
    "ConvNeXt": ConvNeXt.SLOTS,
    "ResNet3D": pathway.SLOTS,
    "R(2+1)D": pathway.FACTORISED_SLOTS,
    "SlowFast": pathway.SLOTS,
    "VisionTransformer": VisionTransformer.SLOTS,
  }
)


def lines() -> Iterator[str]:
  """Yields the page, a row an operator."""
  yield _HEAD
  yield f"| operator | slots | {' | '.join(BACKBONES)} |"
  yield "|" + "---|" * (len(BACKBONES) + 2)
  for name, temporal in OPERATORS.items():
    filled = temporal.filled()
    cells = ["yes" if filled <= set(s) else "" for s in BACKBONES.values()]
    slots = ", ".join(f"`{slot}`" for slot in sorted(filled))
    yield f"| `{name}` | {slots} | {' | '.join(cells)} |"


if __name__ == "__main__":
  for line in lines():
    print(line)
