"""Predicts after every frame of a stream."""

import collections
import os
import time
from typing import NamedTuple

import av
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import data, models
from temporal_jax.evaluation.predictions import Scores
from temporal_jax.inference.runtime.clip_to_probabilities import (
  Logits,
  Probabilities,
  prepare_variables,
  to_probabilities,
)
from temporal_jax.inference.runtime.saved_model import SavedModel, load_model
from temporal_jax.layers.online_state import CACHE

_TIMED = 100_000  # Frames whose latency is kept.


class Latency(NamedTuple):
  """Times from a picture in memory to its prediction.

  Attributes:
    frames: Number of timed frames: the newest 100,000 at most.
    median: Milliseconds that half of them took at most.
    p95: Milliseconds that 95 % of them took at most.
  """

  frames: int
  median: float
  p95: float


class _State(NamedTuple):
  """State that is kept from frame to frame.

  Attributes:
    count: Frames so far, int32.
    cache: Variables that the temporal operators keep, see
      `layers.online_state`.
    logits: Logits of past frames: the newest `window` of them (N, 1, L), or the
      mean of all (1, L).
  """

  count: jax.Array
  cache: dict
  logits: Logits


class Stream:
  """A prediction after each frame, of that and those before it.

  A frame is computed once: temporal operators keep their state of past ones.
  The prediction after frame t is that which the network gives for frames 0 to t
  as one clip; its logits are the mean of the frames' logits, or with a window
  only of the newest frames'.

  Attributes:
    saved: The network.
    window: Frames whose logits are averaged; None for all so far.
    compilations: Number of compilations of the network so far.
    milliseconds: Time of each of the newest frames, in order.
  """

  def __init__(
    self,
    model: str | os.PathLike | SavedModel,
    *,
    window: int | None = None,
  ):
    """Compiles the network for single frames.

    Args:
      model: The network, or the directory that holds it, see `load_model`; for
        which can do this see `models.check_online`.
      window: Frames whose logits are averaged, at least 1; None for all so far,
        which changes little after many.

    Raises:
      FileNotFoundError: If there is no network in the directory.
      ValueError: If the network cannot run online, does not take RGB, gives
        features, or `window` is below 1.
    """
    if window is not None and window < 1:
      raise ValueError(f"window must be at least 1 or None, got {window}.")
    saved = model if isinstance(model, SavedModel) else load_model(model)
    models.check_online(saved.network)
    saved.check_rgb()
    saved.check_classifies()
    self.saved = saved
    self.window = window
    self.compilations = 0
    self.milliseconds = collections.deque(maxlen=_TIMED)
    self._crop = data.PictureCropper(saved.protocol)
    # All is committed to one device: the state of a first frame would else
    # differ from the later ones', and the step would be compiled again.
    device = jax.local_devices()[0]
    self._variables = jax.device_put(prepare_variables(saved), device)
    self._step = jax.jit(self._predict)
    black = np.zeros(2 * (saved.protocol.crop_size,) + (3,), np.uint8)
    self._start = jax.device_put(self._first_state(black), device)
    self._state = self._start
    for _ in range(2):  # As the first frame is computed, and as the others.
      self(black)
    self.reset()

  def __call__(self, picture: np.ndarray | av.VideoFrame) -> Scores:
    """Returns probabilities (L,) float32, or a dict with one entry per task.

    Args:
      picture: The next frame, of any size: (H, W, 3) uint8 RGB, or as PyAV
        decodes it. It is resized and cut by the network's protocol.

    Raises:
      ValueError: If it is something else, or smaller than the crop where
        nothing is resized.
    """
    begin = time.perf_counter()
    frame = self._crop(picture)
    probabilities, self._state = self._step(self._variables, self._state, frame)
    scores = jax.tree.map(np.asarray, probabilities)
    self.milliseconds.append(1e3 * (time.perf_counter() - begin))
    return scores

  def reset(self) -> None:
    """Begins a new stream: nothing is known of past frames, nor of times."""
    self._state = self._start
    self.milliseconds.clear()

  @property
  def latency(self) -> Latency:
    """Latency since the last reset; not a number before the first frame."""
    if not self.milliseconds:
      return Latency(0, float("nan"), float("nan"))
    median, p95 = np.percentile(self.milliseconds, (50, 95))
    return Latency(len(self.milliseconds), float(median), float(p95))

  def _predict(
    self, variables: dict, state: _State, frame: jax.Array
  ) -> tuple[Probabilities, _State]:
    """Returns probabilities (L,) and the state to keep."""
    self.compilations += 1  # Runs when it is traced.
    logits, cache = self._see(variables, state.cache, frame)
    count = state.count + 1
    kept = jax.tree.map(
      lambda past, new: self._keep(past, new, count), state.logits, logits
    )
    mean = kept
    if self.window is not None:
      seen = jnp.minimum(count, self.window).astype(jnp.float32)
      mean = jax.tree.map(lambda newest: newest.sum(axis=0) / seen, kept)
    probabilities = to_probabilities(self.saved, mean)
    scores = jax.tree.map(lambda values: values[0], probabilities)
    return scores, _State(count, cache, kept)

  def _see(self, variables: dict, cache: dict, frame: jax.Array) -> tuple[Logits, dict]:
    """Returns the logits (1, L) of one frame, and the next cache."""
    mean, std = self.saved.pixels["mean"], self.saved.pixels["std"]
    clip = data.normalize(frame[None, None], mean, std)
    (logits, _), kept = self.saved.network.apply(
      {**variables, CACHE: cache}, clip, train=False, mutable=[CACHE]
    )
    return logits, kept.get(CACHE, {})

  def _keep(self, past: jax.Array, new: jax.Array, count: jax.Array) -> jax.Array:
    """Adds the logits of frame number `count`, from 1, to the past ones."""
    new = new.astype(jnp.float32)
    if self.window is None:
      return past + (new - past) / count.astype(jnp.float32)
    return past.at[(count - 1) % self.window].set(new)

  def _first_state(self, frame: np.ndarray) -> _State:
    """Returns the state before the first frame: zeros."""
    logits, cache = jax.eval_shape(self._see, self._variables, {}, frame)
    front = () if self.window is None else (self.window,)
    return _State(
      jnp.zeros((), jnp.int32),
      jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), cache),
      jax.tree.map(lambda leaf: jnp.zeros((*front, *leaf.shape), jnp.float32), logits),
    )
