"""Rows of the temporal operators: their papers, slots and backbones."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from temporal_jax import models
from temporal_jax.models.network import Network

# Operator -> its paper, and its work in words.
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
  {
    "none": ("", "nothing: frames do not meet"),
    "adapter": ("ST-Adapter", "narrow convolution along time, before attention"),
    "adapters": ("ST-Adapter", "the same, before attention and MLP"),
    "adaptive": ("TAda", "kernels calibrated per frame, and pooling along time"),
    "adaptive_attention": ("TAda V2", "the same, calibrated by attention over frames"),
    "adaptive_branch": ("TAda V2", "TAdaFormer's branch of adaptive convolutions"),
    "adaptive_branches": (
      "TAda V2",
      "two such branches per block, which see three frames",
    ),
    "adaptive_convolution": ("TAda", "kernels calibrated per frame"),
    "adaptive_depthwise": ("TAda", "the same, calibrated by layer norms"),
    "adaptive_space_and_time": ("TAda", "both convolutions of R(2+1)D calibrated"),
    "aggregation": ("bLVNet", "each channel's weighted sum of three frames (TAM)"),
    "aligned": ("ATA", "attention over patches that look alike in each frame"),
    "alignment": ("ILA", "frames aligned in pairs by learned masks"),
    "alignment_dense": ("ILA", "the same with dense convolutions, of SSv2"),
    "arithmetic": ("ATM", "differences and products of frames' features"),
    "arithmetic_patch_tokens": ("ATM", "the same without convolutions of class tokens"),
    "causal_aggregation": ("bLVNet", "aggregation of past frames only"),
    "causal_shift": ("TSM", "shift from the past frame only"),
    "causal_residual_shift": ("TSM", "the same in the residual stream"),
    "divided": ("TimeSformer", "attention over time at each place"),
    "joint": ("TimeSformer", "attention over all places of all frames"),
    "messages": ("X-CLIP", "a token per frame, which frames exchange"),
    "mixing": ("X-ViT", "keys and values of three frames in one attention"),
    "mixing_eight": ("X-ViT", "the same within each 8 frames of a clip"),
    "mixing_quarter": ("X-ViT", "a quarter of the channels from each neighbour"),
    "mixing_summary": ("X-ViT", "mixing, and a summary token of every frame"),
    "shift": ("TSM", "an eighth of the channels from each neighbour, in the branch"),
    "residual_shift": ("TSM", "the same in the residual stream"),
  }
)


def operators() -> Iterator[Sequence[str]]:
  """Yields the rows of the operators: their slots, and who has these."""
  columns = backbones()
  yield "operator", "paper", "work", "slots", "backbones"
  for name in models.OPERATORS:
    filled = [_fill(name, network) for network in columns.values()]
    slots = sorted({slot for slots in filled for slot in slots or ()})
    takers = [
      column
      for column, of_column in zip(columns, filled, strict=True)
      if of_column is not None
    ]
    whole = "all" if len(takers) == len(columns) else ", ".join(takers)
    paper, work = WORDS[name]
    yield f"`{name}`", paper, work, ", ".join(f"`{slot}`" for slot in slots), whole


def backbones() -> dict[str, Network]:
  """Returns a network of each class of the catalog by the name of its column.

  All networks of a class have the same slots; a convolution along time, which
  only factorised ones have, is one more.
  """
  classes = {entry.module for entry in models.MODELS.values()}
  columns = {module.__name__: module(num_classes=1) for module in classes}
  columns["R(2+1)D"] = models.ResNet3D(num_classes=1, factorised=True)
  return dict(sorted(columns.items(), key=lambda column: column[0].lower()))


def _fill(operator: str, network: Network) -> set[str] | None:
  """Returns the slots an operator fills, None where there are none such."""
  temporal = models.operators.resolve(operator, network)
  try:
    network.clone(temporal=temporal)
  except ValueError:
    return None
  return temporal.filled()
