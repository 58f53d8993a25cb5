"""Shifts and TokenT1D."""

import functools

from convert_weights.formats import atm
from temporal_jax import layers, ops
from tests.golden.reference import Reference, first, function

_MAPS = {"x": "n t h w c", "out": "n t h w c"}
_TOKENS = {"x": "n t l c", "out": "n t l c"}
_MODELING = "modules/temporal_modeling.py"


_STARTS = {"shift": "shift", "fixed": "identity", "norm": "random"}


def _segments(constructor):
  return {"t": constructor["n_segment"]}


def _token_convolution(constructor):
  # The second is the input's layout, the third of the case, not of the class.
  constructor.ignore("in_channels", "eva_trans", "weights")
  mode = constructor.only("mode", *_STARTS)
  return layers.ClassTokenConvolution(
    fold_div=constructor["n_div"], start=_STARTS[mode]
  )


REFERENCES = {
  (_MODELING, "TemporalShift.shift"): Reference(
    build=lambda c: functools.partial(ops.temporal_shift, fold_div=c["fold_div"]),
    axes=_MAPS,
    sizes=_segments,
    call=function,
  ),
  (_MODELING, "TemporalShift_VIT.shift"): Reference(
    build=lambda c: functools.partial(
      ops.token_shift, tokens="patches", fold_div=c["fold_div"]
    ),
    axes=_TOKENS,
    sizes=_segments,
    call=function,
  ),
  (_MODELING, "TokenShift"): Reference(
    build=lambda c: layers.TokenShift(fold_div=c["n_div"]),
    axes=_TOKENS,
    sizes=_segments,
    name_outputs=first,
  ),
  (_MODELING, "TokenT1D"): Reference(
    build=_token_convolution,
    axes=_TOKENS,
    rules=lambda c: atm.token_convolution(),
    sizes=_segments,
    name_outputs=first,
  ),
  ("slowfast/models/temporal_shift.py", "TemporalShift"): Reference(
    build=lambda c: functools.partial(ops.temporal_shift, fold_div=c["n_div"]),
    axes={"x": "n t l (heads head_dim)", "out": "n t l (heads head_dim)"},
    sizes=_segments,
    call=function,
  ),
}
