"""Attention written from its equation, for the tests that need one."""

import numpy as np


def loop_attention(q, k, v, *, scale=None, mask=None):
  """Attention in float64, one query and one head after the other."""
  q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
  scale = 1 / np.sqrt(q.shape[-1]) if scale is None else scale
  out = np.zeros((*q.shape[:-1], v.shape[-1]))
  for place in np.ndindex(*q.shape[:-1]):  # (..., query, head)
    *lead, query, head = place
    keys, values = k[(*lead, slice(None), head)], v[(*lead, slice(None), head)]
    scores = keys @ q[place] * scale
    if mask is not None:
      scores = np.where(mask[(*lead, head, query)], scores, -np.inf)
    weights = np.exp(scores - scores.max())
    out[place] = weights @ values / weights.sum()
  return out
