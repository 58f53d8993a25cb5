"""Cases of benchmarks.operators: modules with weights."""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util

from benchmarks.cases.operator_case import FOLDED, TILES, VIDEO, Array, OperatorCase
from benchmarks.reference import atm, ila, tada, tada_v2
from temporal_jax import layers
from temporal_jax.layers.ila.interaction import PairInteraction

_CONV = "h w i o -> o i h w"
_TAPS = "k i o -> o i k 1 1"
_VECTOR = "c -> c"


def module_case(
  name: str,
  module: nn.Module,
  shape: Callable[[int], tuple[int, ...]],
  pattern: str,
  weights: Mapping[str, tuple[str, str]],
  theirs: Callable,
  out: str,
  scratch: Callable[[int], int] = lambda frames: 0,
) -> OperatorCase:
  """Returns the case of a module.

  Args:
    name: Module, and the network whose sizes it has.
    module: Maps features of `shape` to one array.
    shape: Returns the features' shape for a number of frames.
    pattern: einops pattern of the features to torch's layout.
    weights: Name in the reference function -> the module's own name, and the
      einops pattern to torch's layout.
    theirs: Function of torch's features and weights.
    out: einops pattern from our output to torch's.
    scratch: See `OperatorCase`.
  """
  example = jax.ShapeDtypeStruct(shape(8), jnp.float32)
  # The key is traced, too: a key itself would need a device.
  tree = jax.eval_shape(lambda x: module.init(jax.random.key(0), x), example)
  leaves = traverse_util.flatten_dict(tree["params"], sep="/")

  def arrays(frames):
    features = Array(shape(frames), pattern)
    return [
      features,
      *(Array(leaves[ours].shape, layout) for ours, layout in weights.values()),
    ]

  def variables(values):
    names = (name for name, _ in weights.values())
    flat = dict(zip(names, values, strict=True))
    params = traverse_util.unflatten_dict(flat, sep="/")
    return {"params": params, **_new_statistics(tree)}

  def ours(x, *values):
    return module.clone(dtype=x.dtype).apply(variables(values), x)

  def training(x, *values):
    out, _ = module.clone(dtype=x.dtype).apply(
      variables(values), x, True, mutable=["batch_stats"]
    )
    return out

  return OperatorCase(
    name=name,
    arrays=arrays,
    ours=ours,
    theirs=lambda x, *values, frames: theirs(
      x, dict(zip(weights, values, strict=True))
    ),
    out=out,
    scratch=scratch,
    training=training,
  )


def _new_statistics(tree: dict) -> dict:
  """Returns the initial running statistics: mean 0, variance 1."""
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


MODULES = (
  module_case(
    name="route by convolutions, TAda2D 28",
    module=layers.RouteMlp(),
    shape=lambda frames: (1, frames, 28, 28, 128),
    pattern=VIDEO,
    weights={
      "context": ("context/kernel", "i o -> o i 1 1 1"),
      "context_bias": ("context/bias", _VECTOR),
      "reduce": ("reduce/kernel", _TAPS),
      "reduce_bias": ("reduce/bias", _VECTOR),
      **_norm("scale", "bias", "norm"),
      "expand": ("expand/kernel", _TAPS),
    },
    theirs=tada.route_mlp,
    out="n t c -> n c t",
    # Hidden features, and the weights of three frames side by side.
    scratch=lambda frames: 8 * frames * 128 + 2 * 3 * 128 * 32,
  ),
  module_case(
    name="route by attention, TAdaConvNeXtV2-T 14",
    module=layers.RouteAttention(ratio=2),
    shape=lambda frames: (1, frames, 14, 14, 384),
    pattern=VIDEO,
    weights={
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
    theirs=tada_v2.route_attention,
    out="n t c -> n c t",
    scratch=lambda frames: 12 * frames * 384 + 2 * 3 * 384 * 192,
  ),
  module_case(
    name="window encoder, ATM ViT-B/16",
    module=layers.WindowEncoder(),
    shape=lambda frames: (1, frames, 14, 14, 5, 9, 9),
    pattern="n t h w l u v -> (n t l h w) 1 u v",
    weights={
      name: leaf
      for i in range(1, 5)
      for name, leaf in {
        f"conv{i}": (f"layer{i}/conv/kernel", _CONV),
        **_norm(f"scale{i}", f"bias{i}", f"layer{i}/norm"),
      }.items()
    },
    theirs=atm.window_encoder,
    out="n t h w l c -> (n t l h w) c",
    # Its maps, 9 x 9 x 4 and then 5 x 5 x 16, and the patches of each.
    scratch=lambda frames: frames * 5 * 14**2 * (81 * 4 + 25 * 9 * 16),
  ),
  module_case(
    name="domain transformation, ATM ViT-B/16",
    module=layers.DomainTransformation(768),
    shape=lambda frames: (1, frames, 5, 14, 14, 64),
    pattern="n t l h w c -> (n t l) c h w",
    weights={
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
    theirs=atm.domain_transformation,
    out=FOLDED,
    scratch=lambda frames: 2 * frames * 5 * 14 * 14 * 64 + TILES,
  ),
  module_case(
    name="interaction of pairs, ILA B/16",
    module=PairInteraction(256),
    shape=lambda frames: (1, frames, 14, 14, 1536),
    pattern=FOLDED,
    weights={
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
    theirs=ila.interaction,
    out=FOLDED,
    scratch=lambda frames: frames * (16 * 16 + 14 * 14) * 1536 + TILES,
  ),
)
