"""Reasons for exponents that are not those of the papers."""

from collections.abc import Mapping
from types import MappingProxyType

_COPIES = (
  "Copies that move heads apart take much of the time; their bytes are linear. The "
  "cycles of the products grow as claimed."
)
_ON_CHIP = (
  "At 384 channels a part of the arrays is on the chip, where bytes are 22 times as "
  "fast. The cycles of the products grow as claimed."
)
_FEWER = (
  "All arrays are on the chip, and copies take most of the time; with 24 heads XLA "
  "makes fewer of them."
)
_ONE_TILE = (
  "Up to 128 keys fill one tile of a matrix unit, which is padded: its cycles are "
  "those of the queries, T."
)
_NO_SEARCH = (
  "The search for partners has no multiply-adds; the similarities it starts from are "
  "T h²w² d."
)
_BYTES = (
  "At 128 channels bytes take as long as products, and they are linear. The cycles of "
  "the products grow as claimed."
)
_CASE_ON_CHIP = (
  "With fewer frames a part of the arrays is on the chip, where bytes are 22 times as "
  "fast: the bytes of the main memory grow three to five times from one size to the "
  "next."
)
_GRADIENTS = (
  "Every device holds the gradients of all parameters, 62 MB: with fsdp too, as the "
  "compiler for CPUs sums them whole."
)
# By subject, axis and quantity.
REASONS: Mapping[tuple[str, str, str], str] = MappingProxyType(
  {
    ("spatial attention", "places", "TPU"): _COPIES,
    ("spatial attention", "width", "TPU"): _ON_CHIP,
    ("joint attention", "frames", "TPU"): _COPIES,
    ("joint attention", "places", "TPU"): _COPIES,
    ("joint attention", "width", "TPU"): _FEWER,
    ("divided attention", "places", "TPU"): _COPIES,
    ("divided attention", "places", "TPU cycles"): (
      "The part over 8 frames, linear in the places, is padded to tiles of 128 keys: "
      "it takes as long as 128 frames would."
    ),
    ("divided attention", "width", "TPU"): _ON_CHIP,
    ("temporal attention", "frames", "TPU"): _ONE_TILE,
    ("temporal attention", "frames", "TPU cycles"): _ONE_TILE,
    ("temporal attention", "width", "TPU"): _ON_CHIP,
    ("ATA", "places", "multiply-adds"): _NO_SEARCH,
    ("ATA", "places", "TPU"): (
      "The search is a loop of unknown length, which an estimate counts once."
    ),
    ("ATA", "places", "TPU cycles"): _NO_SEARCH,
    ("messages of X-CLIP", "frames", "TPU"): _ONE_TILE,
    ("messages of X-CLIP", "frames", "TPU cycles"): _ONE_TILE,
    ("messages of X-CLIP", "width", "TPU"): _FEWER,
    ("alignment of ILA", "width", "multiply-adds"): (
      "After the first convolution there are 256 channels, whatever d is: half of the "
      "products with 1536 channels, and more with fewer."
    ),
    ("alignment of ILA", "width", "TPU cycles"): (
      "The convolutions of 256 channels do not grow with d."
    ),
    ("space-time mixing", "places", "TPU"): _COPIES,
    ("space-time mixing", "width", "TPU"): _ON_CHIP,
    ("space-time mixing, summaries", "places", "TPU"): _COPIES,
    ("space-time mixing, summaries", "width", "TPU"): _ON_CHIP,
    ("TAdaConv", "width", "TPU"): _BYTES,
    ("(2+1)D convolution", "width", "TPU"): _BYTES,
    (
      "adaptive convolution 7x7 depthwise, TAdaConvNeXtV2-T",
      "frames",
      "TPU",
    ): _CASE_ON_CHIP,
    ("difference cues, ATM ViT-B/16", "frames", "TPU"): _CASE_ON_CHIP,
    ("log ratio cues, ATM ViT-B/16", "frames", "TPU"): _CASE_ON_CHIP,
    ("ViT of 2 blocks, mixing; data", "devices", "memory"): _GRADIENTS,
    ("ViT of 2 blocks, mixing; fsdp", "devices", "memory"): _GRADIENTS,
    ("(2+1)D convolution", "frames", "TPU"): (
      "At 64 frames XLA copies the features between two layouts, with three times the "
      "bytes. The cycles of the products grow as claimed."
    ),
  }
)
