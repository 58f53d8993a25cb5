"""ActionFormer: its transformer block, and the network of one video."""

from collections.abc import Sequence

import flax.linen as nn
import jax.numpy as jnp

from convert_weights.formats import actionformer
from convert_weights.rules import under
from temporal_jax.localization import ActionFormer
from temporal_jax.localization.networks.actionformer_block import ActionFormerBlock
from tests.golden.arguments import UnsupportedError
from tests.golden.reference import Reference, stateless

_KINDS = ("cls_logits", "offsets", "mask", "points", "fpn")
_LEVELS = 10  # More than any network has.


class _Masked(nn.Module):
  """A block whose mask is of integers."""

  block: ActionFormerBlock

  def __call__(self, x, mask):
    return self.block(x, mask[:, :, 0] > 0)


class _OneVideo(nn.Module):
  """A network that pads one video (T, C)."""

  network: ActionFormer

  def __call__(self, features):
    length = len(features)
    padded = self.network.padded_length(length)
    mask = jnp.arange(padded) < length
    features = jnp.pad(features, ((0, padded - length), (0, 0)))
    return self.network(features[None], mask[None])


def _window(size):
  """Positions seen: the reference takes half of it on each side."""
  return size // 2 * 2 + 1 if size > 1 else None


def _block(constructor):
  strides = list(constructor["n_ds_strides"])
  if strides[0] != strides[1]:  # Queries and keys have one stride here.
    raise UnsupportedError(f"n_ds_strides={strides}")
  if not constructor["path_pdrop"]:  # Branches have a scale here.
    raise UnsupportedError("path_pdrop=0")
  constructor.ignore("n_embd", "path_pdrop")  # That of the input; in training.
  if constructor["mha_win_size"] <= 1:  # All such sizes are the whole sequence.
    constructor.ignore("mha_win_size", "use_rel_pe")
  return _Masked(
    ActionFormerBlock(
      num_heads=constructor["n_head"],
      window=_window(constructor["mha_win_size"]),
      stride=strides[0],
      relative_bias=constructor["use_rel_pe"] and constructor["mha_win_size"] > 1,
    )
  )


def _network(constructor):
  constructor.only("backbone_type", "convTransformer")
  constructor.only("fpn_start_level", 0)
  for name in ("embd_with_ln", "fpn_with_ln", "head_with_ln"):
    constructor.only(name, True)
  for name in ("fpn_dim", "head_dim"):
    constructor.only(name, constructor["embd_dim"])
  constructor.only("head_kernel_size", constructor["embd_kernel_size"])
  # Those of the input; how far points may be used beyond the longest video.
  constructor.ignore("input_dim", "max_buffer_len_factor")
  sizes = constructor["n_mha_win_size"]
  several = isinstance(sizes, Sequence)
  if not several and sizes <= 1:  # All such sizes are the whole sequence.
    constructor.ignore("n_mha_win_size")
  windows = tuple(_window(size) for size in sizes) if several else _window(sizes)
  convolutions, stem, branch = constructor["backbone_arch"]
  ranges = tuple(tuple(span) for span in constructor["regression_range"])
  if branch + 1 != len(ranges):  # Each level has one.
    raise UnsupportedError(f"backbone_arch[2]={branch}")
  return _OneVideo(
    ActionFormer(
      constructor["num_classes"],
      width=constructor["embd_dim"],
      num_heads=constructor["n_head"],
      windows=windows,
      ranges=ranges,
      max_length=constructor["max_seq_len"],
      embedding_layers=convolutions,
      stem_blocks=stem,
      stride=constructor["scale_factor"],
      head_layers=constructor["head_num_layers"],
      taps=constructor["head_kernel_size"],
      top_down=constructor.only("fpn_type", "identity", "fpn") == "fpn",
      positions=constructor["use_abs_pe"],
      relative_bias=constructor["use_rel_pe"],
    )
  )


def _name_levels(levels):
  names = {"cls_logits": "logits", "fpn": "features"}
  return {
    f"{kind}_{i}": jnp.asarray(level[names.get(kind, kind)], jnp.float32)
    for i, level in enumerate(levels)
    for kind in _KINDS
  }


def _axes(level):
  place = f"t{level}"
  return {
    f"cls_logits_{level}": f"n {place} classes",
    f"offsets_{level}": f"n {place} of2",
    f"mask_{level}": f"n {place}",
    f"points_{level}": f"{place} of4",
    f"fpn_{level}": f"n {place} c",
  }


REFERENCES = {
  ("libs/modeling/blocks.py", "TransformerBlock"): Reference(
    build=_block,
    axes={"x": "n t c", "mask": "n t 1", "out": "n t c", "out_mask": "n t"},
    rules=lambda c: under(actionformer.block(), "block", ""),
    call=stateless,
    name_outputs=lambda out: {"out": out[0], "out_mask": out[1].astype(jnp.float32)},
  ),
  (
    "libs/modeling/meta_archs.py",
    "PtTransformer (network forward, no NMS)",
  ): Reference(
    build=_network,
    axes={
      "feats": "t c",
      **{k: v for level in range(_LEVELS) for k, v in _axes(level).items()},
    },
    rules=lambda c: under(actionformer.network(_network(c).network), "network", ""),
    call=stateless,
    name_outputs=_name_levels,
  ),
}
