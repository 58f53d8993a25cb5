"""ATM's motion cues: arithmetic of each frame with its neighbours."""

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.neighbouring_frames import anchor_frames, context_frames
from temporal_jax.validation import check_choice

KINDS = ("context", "sum", "difference", "log_ratio")


def arithmetic_cue(x: jax.Array, *, kind: str, length: int = 5) -> jax.Array:
  """Combines every frame with each of the frames around it.

  With a frame a = `anchor_frames` and its contexts c = `context_frames`:

  context: c; sum: c + a; difference: c - a;
  log_ratio: log(1 + |c|) - log(1 + |a|)

  Contexts outside the clip are zero features: there the difference is -a.

  Args:
    x: Features (B, T, H, W, C), floating point.
    kind: One of the above. "log_ratio" is how the reference divides; by its
      authors, the plain quotient does not train.
    length: Context frames, L; odd. See `anchor_frames` for 1.

  Returns:
    Cues (B, T, L, H, W, C) in the dtype of `x`.

  Raises:
    ValueError: If `kind` is unknown; see also `context_frames`.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908, table A.4; classes
    `IntegrationBlock`, `DiffBlock` and `DivBlock` in modules/ATM.py of
    whwu95/ATM.
  """
  check_choice("kind", kind, KINDS)
  shape_checks.video(x)
  # Before the contexts are spread: a fifth of the work, and log(1 + 0) = 0.
  values = jnp.log1p(jnp.abs(x)) if kind == "log_ratio" else x
  contexts = context_frames(values, length=length)
  if kind == "context":
    return contexts
  anchors = anchor_frames(values, length=length)[:, :, None]
  return contexts + anchors if kind == "sum" else contexts - anchors
