"""The temporal operators by name, as values that fill a backbone's slots.

A module of `layers` that declares `OPERATORS`, names and the layer of each slot
they fill, adds them; no other file has to know it. Operators that depend on the
network are here.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import flax.linen as nn

from temporal_jax import layers
from temporal_jax.lookup import declared
from temporal_jax.models.network import Network
from temporal_jax.models.operator_text import read_operator
from temporal_jax.models.slots import Blocks, Temporal

# The slots of one network, or a function from a network to its slots.
Operator = Temporal | Callable[[Network], Temporal]


def adaptive_attention(network: Network, *, form: str = "code") -> Temporal:
  """Returns TAdaConvV2 as TAdaConvNeXtV2 has it, with pooling along time.

  The attention of its route function is half as wide as the convolution, and
  has one head in the first stage, of SlowFast's fast pathway.

  Args:
    network: The network.
    form: Form of the route function, see `layers.RouteAttention`.
  """
  width = network.widths[0] if hasattr(network, "widths") else network.width
  width //= getattr(network, "beta", 1)  # The fast pathway is narrower.
  return _adaptive_attention(width // 2, form)


# Made once, so that networks built alike are equal.
@functools.cache
def _adaptive_attention(head_width: int, form: str) -> Temporal:
  route = functools.partial(
    layers.RouteAttention, ratio=2, head_width=head_width, bias=True, form=form
  )
  convolution = functools.partial(
    layers.AdaptiveConv, axis="out", use_bias=True, route=route
  )
  return Temporal(
    convolution=convolution, after_convolution=layers.StridedTemporalPooling
  )


@functools.cache
def arithmetic(
  *blocks: int, class_token: bool = True, after_attention: bool = False
) -> Temporal:
  """Returns ATM before some blocks of a transformer.

  Args:
    *blocks: Their numbers, from 0.
    class_token: Whether every block convolves the class token along time,
      before attention and before the MLP, as the released networks do.
    after_attention: Whether ATM comes an MLP earlier, after the attention of
      the block before, as the paper's text has it.
  """
  convolution = layers.ClassTokenConvolution
  every = Temporal(block_input=convolution, mlp_input=convolution)
  slot = "mlp_input" if after_attention else "block_input"
  if after_attention:
    blocks = tuple(block - 1 for block in blocks)
  return Temporal(
    **{slot: layers.ArithmeticModeling},
    where=Blocks(blocks=blocks),
    followed_by=every if class_token else None,
  )


_BEFORE_THIRD_STAGE = Temporal(
  block_input=functools.partial(layers.ArithmeticModeling, stride=2),
  where=Blocks(stages=(2,), blocks=(0,)),
)


def arithmetic_once(
  network: Network,
  *blocks: int,
  class_token: bool | None = None,
  after_attention: bool = False,
) -> Temporal:
  """Returns ATM after some blocks, by default where its paper has it.

  In a transformer it follows 7/12 of the blocks: it precedes the eighth of 12
  or the fifteenth of 24. In a network of stages it is at the start of the
  third, and combines frames at half the resolution.

  Args:
    network: The network.
    *blocks: For each ATM, the number of transformer blocks before it.
    class_token: See `arithmetic`; by default if the network has class tokens.
    after_attention: See `arithmetic`; only of a transformer.

  Raises:
    ValueError: If there are no such blocks.
  """
  if "mlp_input" in network.SLOTS:
    first = int(after_attention)
    for block in blocks:
      if block not in range(first, network.depth):
        raise ValueError(
          f"arithmetic follows {first} to {network.depth - 1} of the blocks, got "
          f"{block!r}."
        )
    blocks = blocks or (round(network.depth * 7 / 12),)
    if class_token is None:
      class_token = getattr(network, "has_class_token", True)
    return arithmetic(*blocks, class_token=class_token, after_attention=after_attention)
  if blocks or after_attention:
    raise ValueError(
      "in a network of stages arithmetic takes stages= and blocks=, not numbers or "
      "after_attention=True."
    )
  return _BEFORE_THIRD_STAGE


# They depend on the network: each is a function of it.
_FOR_NETWORKS: Mapping[str, Operator] = {
  "adaptive_attention": adaptive_attention,
  "arithmetic": arithmetic_once,
  "arithmetic_patch_tokens": functools.partial(arithmetic_once, class_token=False),
}


def _collect() -> dict[str, Operator]:
  """Returns all operators by name: "none", then by the alphabet."""
  found = dict(_FOR_NETWORKS)
  for operators in declared(layers.__name__, "OPERATORS").values():
    found |= {name: Temporal(**slots) for name, slots in operators.items()}
  return {"none": Temporal(), **dict(sorted(found.items()))}


OPERATORS: Mapping[str, Operator] = MappingProxyType(_collect())


def resolve(temporal: str | Operator | None, network: Network) -> Temporal:
  """Returns the slots that `temporal` fills in a network.

  Args:
    temporal: Names of `OPERATORS` with their arguments, as `operator_text`
      reads them, a value of `OPERATORS`, or None for nothing.
    network: The network, whatever its own slots hold.

  Raises:
    TypeError: If it is none of these, such as a layer without a slot.
    ValueError: If a text names no operator or argument, see `read_operator`.
  """
  if isinstance(temporal, str):
    return read_operator(temporal, network, OPERATORS)
  operator = temporal
  if operator is None:
    return Temporal()
  if isinstance(operator, Temporal):
    return operator
  made = getattr(operator, "func", operator)  # A partial's function.
  if callable(operator) and not isinstance(made, (type, nn.Module)):
    found = operator(network)
    if isinstance(found, Temporal):
      return found
  raise TypeError(
    "temporal must be a name of models.OPERATORS, models.Temporal(...), a "
    f"function from a network to it, or None, got {temporal!r}. A layer needs a "
    "slot: models.Temporal(branch_input=layers.TemporalShift)."
  )
