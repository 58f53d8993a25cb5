"""Rows of benchmarks.operators: modules of several operators and weights."""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util

from benchmarks.cases.row import FOLDED, TILES, VIDEO, Array, Row
from benchmarks.reference import modules as torch_modules
from temporal_jax import layers
from temporal_jax.layers.ila.interaction import PairInteraction

_CONV = "h w i o -> o i h w"
_TAPS = "k i o -> o i k 1 1"
_VECTOR = "c -> c"


def module_row(
  name: str,
  module: nn.Module,
  shape: Callable[[int], tuple[int, ...]],
  pattern: str,
  weights: Mapping[str, tuple[str, str]],
  theirs: Callable,
  out: str,
  scratch: Callable[[int], int] = lambda frames: 0,
) -> Row:
  """Returns the row of a module.

  Args:
    name: Module and network it is sized for.
    module: Maps features of `shape` to one array.
    shape: Frames -> shape of the features.
    pattern: einops pattern of the features to torch's layout.
    weights: Name in torch_modules -> the module's own, and einops pattern.
    theirs: Function of torch's features and weights.
    out: einops pattern from our output to torch's.
    scratch: As in `Row`.
  """
  example = jax.ShapeDtypeStruct(shape(8), jnp.float32)
  tree = jax.eval_shape(module.init, jax.random.key(0), example)
  leaves = traverse_util.flatten_dict(tree["params"], sep="/")

  def arrays(frames):
    features = Array(shape(frames), pattern)
    return [
      features,
      *(Array(leaves[ours].shape, layout) for ours, layout in weights.values()),
    ]

  def ours(x, *values):
    names = (name for name, _ in weights.values())
    flat = dict(zip(names, values, strict=True))
    params = traverse_util.unflatten_dict(flat, sep="/")
    return module.apply({"params": params, **_new_statistics(tree)}, x)

  return Row(
    name,
    arrays,
    ours,
    lambda x, *values, frames: theirs(x, dict(zip(weights, values, strict=True))),
    out,
    scratch=scratch,
  )


def _new_statistics(tree: dict) -> dict:
  """Returns the running statistics of a new module: mean 0, variance 1."""
  flat = traverse_util.flatten_dict(tree.get("batch_stats", {}), sep="/")
  values = {
    name: jnp.full(leaf.shape, name.endswith("var"), leaf.dtype)
    for name, leaf in flat.items()
  }
  return {"batch_stats": traverse_util.unflatten_dict(values, sep="/")}


def _norm(scale: str, bias: str, module: str) -> dict[str, tuple[str, str]]:
  """Returns the weights of a norm."""
  return {
    scale: (f"{module}/scale", _VECTOR),
    bias: (f"{module}/bias", _VECTOR),
  }


MODULE_ROWS = [
  module_row(
    "route by convolutions, TAda2D 28",
    layers.RouteMlp(),
    lambda frames: (1, frames, 28, 28, 128),
    VIDEO,
    {
      "context": ("context/kernel", "i o -> o i 1 1 1"),
      "context_bias": ("context/bias", _VECTOR),
      "reduce": ("reduce/kernel", _TAPS),
      "reduce_bias": ("reduce/bias", _VECTOR),
      **_norm("scale", "bias", "norm"),
      "expand": ("expand/kernel", _TAPS),
    },
    torch_modules.route_mlp,
    "n t c -> n c t",
    # Hidden features, and the weights of three frames side by side.
    scratch=lambda frames: 8 * frames * 128 + 2 * 3 * 128 * 32,
  ),
  module_row(
    "route by attention, TAdaConvNeXtV2-T 14",
    layers.RouteAttention(ratio=2),
    lambda frames: (1, frames, 14, 14, 384),
    VIDEO,
    {
      "reduce": ("reduce/kernel", _TAPS),
      "reduce_bias": ("reduce/bias", _VECTOR),
      **_norm("scale", "bias", "norm"),
      **_norm("attention_scale", "attention_bias", "attention_norm"),
      "qkv": ("attention/qkv/kernel", "i three m d -> (three m d) i"),
      "qkv_bias": ("attention/qkv/bias", "three m d -> (three m d)"),
      "out": ("attention/out/kernel", "m d o -> o (m d)"),
      "out_bias": ("attention/out/bias", _VECTOR),
      "expand": ("expand/kernel", _TAPS),
    },
    torch_modules.route_attention,
    "n t c -> n c t",
    scratch=lambda frames: 12 * frames * 384 + 2 * 3 * 384 * 192,
  ),
  module_row(
    "window encoder, ATM ViT-B/16",
    layers.WindowEncoder(),
    lambda frames: (1, frames, 14, 14, 5, 9, 9),
    "n t h w l u v -> (n t l h w) 1 u v",
    {
      name: leaf
      for i in range(1, 5)
      for name, leaf in {
        f"conv{i}": (f"layer{i}/conv/kernel", _CONV),
        **_norm(f"scale{i}", f"bias{i}", f"layer{i}/norm"),
      }.items()
    },
    torch_modules.window_encoder,
    "n t h w l c -> (n t l h w) c",
    # Its maps, 9 x 9 x 4 and then 5 x 5 x 16, and the patches of each.
    scratch=lambda frames: frames * 5 * 14**2 * (81 * 4 + 25 * 9 * 16),
  ),
  module_row(
    "domain transformation, ATM ViT-B/16",
    layers.DomainTransformation(768),
    lambda frames: (1, frames, 5, 14, 14, 64),
    "n t l h w c -> (n t l) c h w",
    {
      **{
        name: leaf
        for i in (1, 2)
        for name, leaf in {
          f"conv{i}": (f"layer{i}/conv/kernel", _CONV),
          **_norm(f"scale{i}", f"bias{i}", f"layer{i}/norm"),
        }.items()
      },
      "fuse": ("fuse/kernel", "l h w i o -> o (l i) h w"),
      **_norm("fuse_scale", "fuse_bias", "fuse_norm"),
      "expand": ("expand/kernel", "i o -> o i 1 1"),
    },
    torch_modules.domain_transformation,
    FOLDED,
    scratch=lambda frames: 2 * frames * 5 * 14 * 14 * 64 + TILES,
  ),
  module_row(
    "interaction of pairs, ILA B/16",
    PairInteraction(256),
    lambda frames: (1, frames, 14, 14, 1536),
    FOLDED,
    {
      "depthwise": ("depthwise/kernel", "h w c -> c 1 h w"),
      "depthwise_bias": ("depthwise/bias", _VECTOR),
      **_norm("depthwise_scale", "depthwise_offset", "depthwise_norm"),
      **{
        name: leaf
        for i in (1, 2)
        for name, leaf in {
          f"conv{i}": (f"conv{i}/kernel", _CONV),
          f"conv{i}_bias": (f"conv{i}/bias", _VECTOR),
          **_norm(f"scale{i}", f"bias{i}", f"norm{i}"),
        }.items()
      },
    },
    torch_modules.interaction,
    FOLDED,
    scratch=lambda frames: frames * (16 * 16 + 14 * 14) * 1536 + TILES,
  ),
]
