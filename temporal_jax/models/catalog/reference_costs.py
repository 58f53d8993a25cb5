"""What networks cost in their authors' code, and in their papers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Figures(NamedTuple):
  """The cost of a published network, for one view.

  Attributes:
    params: Trained values of the authors' module.
    gmacs: 1e9 multiply-adds of its products and convolutions.
    clip_shape: (T, H, W) of the view.
    num_classes: Classes of the head, L.
    paper: What the paper or its repository says, where it says it.
  """

  params: int
  gmacs: float
  clip_shape: tuple[int, int, int]
  num_classes: int = 400
  paper: str = ""


_224 = (224, 224)

FIGURES: Mapping[str, Figures] = MappingProxyType(
  {
    "resnet18": Figures(11_689_512, 1.814, (1, *_224), 1000),
    "resnet34": Figures(21_797_672, 3.664, (1, *_224), 1000),
    "resnet50": Figures(25_557_032, 4.089, (1, *_224), 1000),
    "resnet101": Figures(44_549_160, 7.801, (1, *_224), 1000),
    "resnet152": Figures(60_192_808, 11.514, (1, *_224), 1000),
    "convnext_tiny": Figures(28_589_128, 4.456, (1, *_224), 1000),
    "convnext_small": Figures(50_223_688, 8.684, (1, *_224), 1000),
    "convnext_base": Figures(88_591_464, 15.355, (1, *_224), 1000),
    "blvnet_tam_50": Figures(
      25_020_142,
      11.926,
      (8, *_224),
      174,
      "25.0 M; 23.8 at 16 frames (tables 1, 2)",
    ),
    "blvnet_tam_101": Figures(
      40_177_134,
      16.075,
      (8, *_224),
      174,
      "40.2 M; 32.1 at 16 frames (tables 1, 2)",
    ),
    "tada2d_resnet50": Figures(
      27_485_472, 33.023, (8, *_224), 400, "27.5 M; 86 at 16 x 256 (table 7)"
    ),
    "tadaconvnext_tiny": Figures(
      38_661_688, 71.859, (32, *_224), 400, "38.6 M; 94 at 256 (table 7)"
    ),
    "tadaconvnextv2_tiny": Figures(
      45_971_488, 36.012, (16, *_224), 400, "45.9 M; 47 at 256 (table 7)"
    ),
    "tadaconvnextv2_small": Figures(
      82_249_120, 69.955, (16, *_224), 400, "82.2 M; 91 at 256 (table 7)"
    ),
    "tadaconvnextv2_base": Figures(
      145_687_632, 123.6, (16, *_224), 400, "145.7 M; 162 at 256 (table 7)"
    ),
    "tadaformer_b16": Figures(
      104_195_728, 153.596, (16, *_224), 400, "104.1 M; 153 (table 8)"
    ),
    "tadaformer_l14": Figures(
      364_827_024, 702.606, (16, *_224), 400, "364 M; 703 (table 8)"
    ),
    "slowonly_50": Figures(
      32_454_096, 41.741, (8, *_224), 400, "32.5 M; 54.52 at 256 (table 3c)"
    ),
    "slowfast_50_4x16": Figures(
      34_480_216, 27.639, (32, *_224), 400, "34.5 M; 36.10 at 256 (table 3c)"
    ),
    "slowfast_50_8x8": Figures(
      34_566_488, 50.309, (32, *_224), 400, "34.5 M; 65.71 at 256 (table 3c)"
    ),
    "r2plus1d_50": Figures(
      28_126_495, 70.184, (8, *_224), 400, "28.1 M; 49.55 (table 3c)"
    ),
    "r2plus1d_10": Figures(14_570_677, 21.334, (16, 112, 112)),
    "r2plus1d_18": Figures(33_383_797, 42.143, (16, 112, 112)),
    "r3d_18": Figures(33_371_472, 11.423, (16, 112, 112)),
    "r2d3d_18": Figures(14_160_336, 6.864, (16, 112, 112)),
    "vit_b16": Figures(86_397_840, 140.508, (8, *_224)),
    "atm_vit_b16": Figures(88_000_284, 144.957, (8, *_224), 400, "99 (table A.6)"),
    "atm_vit_l14": Figures(306_296_092, 654.625, (8, *_224), 400, "421 (table A.6)"),
    "atm_vit_l14_336": Figures(306_623_772, 3085.65, (16, 336, 336)),
    # The authors' tower, and a classifier of its 768 features.
    "atm_eva_l14": Figures(
      306_127_436 + 769 * 400, 654.523, (8, *_224), 400, "421 (table A.6)"
    ),
    # Without the authors' second classifier, which nothing reads.
    "xvit_b16": Figures(94_098_464 - 769 * 400, 140.569, (8, *_224)),
    "ila_vit_b32": Figures(201_596_977, 52.254, (8, *_224)),
    "ila_vit_b16": Figures(199_940_401, 201.727, (8, *_224)),
    "ila_vit_l14": Figures(567_749_473, 882.466, (8, *_224)),
    "ila_vit_l14_336": Figures(568_077_153, 2048.273, (8, 336, 336)),
  }
)
