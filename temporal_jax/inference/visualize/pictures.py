"""Saves pictures that explain a network's prediction of a video."""

import os
from collections.abc import Mapping

import jax
import numpy as np

from temporal_jax.data.video.readers import Reader, open_reader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.available_maps import KINDS
from temporal_jax.inference.visualize.calibration import create_calibrations
from temporal_jax.inference.visualize.calibration_figure import (
  deviations,
  save_calibration,
)
from temporal_jax.inference.visualize.explain import (
  check_options,
  explain,
  open_variables,
)
from temporal_jax.inference.visualize.layer_choice import choose_layer
from temporal_jax.inference.visualize.overlay import save_overlay
from temporal_jax.inference.visualize.read_clip import (
  ReadClip,
  middle_view,
  read_clip,
)
from temporal_jax.inference.visualize.strip import Row, save_strip
from temporal_jax.storage import check_outputs
from temporal_jax.validation import check_choice


def visualize_video(
  video: str | os.PathLike,
  networks: Mapping[str, SavedModel],
  *,
  kind: str,
  png: str | os.PathLike,
  mp4: str | os.PathLike | None = None,
  layer: str | None = None,
  label: str | None = None,
) -> list[str]:
  """Draws maps of networks for the clip in the middle of a video.

  Args:
    video: File, or folder of pictures.
    networks: The networks, by their names in the picture.
    kind: One of `KINDS`.
    png: Picture to write, a row for each map of each network.
    mp4: Video to write with the maps on its frames; None for none.
    layer: See `explain`; of "calibration" the one that deviates most from 1 by
      default.
    label: See `explain`.

  Returns:
    Lines that name the drawn maps.

  Raises:
    ImportError: See `prepare_variables`.
    OSError: If a file cannot be written, see `storage.check_outputs`.
    ValueError: As `explain`, or if `kind` is "calibration" of several networks
      or with an mp4, or an mp4 is asked for of networks that see different
      frames, or two files are the same or one is the video. VideoError, a
      ValueError, if the video cannot be read.
  """
  check_choice("kind", kind, KINDS)
  check_options(kind, layer, label)
  check_outputs({"png": png, "mp4": mp4}, [video])
  name = os.path.basename(os.path.normpath(video))
  square = next(iter(networks.values())).protocol.square_pixels
  with open_reader(video, square_pixels=square) as reader:
    if kind == "calibration":
      if len(networks) != 1 or mp4 is not None:
        raise ValueError("calibration is drawn of one network, without an mp4.")
      return _draw_calibration(reader, networks, name, png, layer)
    return _draw_maps(reader, networks, name, kind, png, mp4, layer, label)


def _draw_maps(
  reader: Reader,
  networks: Mapping[str, SavedModel],
  video: str,
  kind: str,
  png: str | os.PathLike,
  mp4: str | os.PathLike | None,
  layer: str | None,
  label: str | None,
) -> list[str]:
  """Draws maps on frames."""
  clips = _read_clips(reader, networks)
  first = next(iter(networks))
  if mp4 is not None:
    for name in networks:
      if not _same(clips[name], clips[first]):
        raise ValueError(
          f"{first} and {name} see different frames, which no one mp4 can show."
        )
  rows, panels, lines, before = [], [], [], None
  for name, saved in networks.items():
    clip = clips[name]
    found = explain(saved, clip.frames, kind=kind, layer=layer, label=label)
    if before is None or not _same(clip, before):
      rows.append(Row(f"frames as {name} sees them", clip.frames, clip.times))
    before = clip
    for words, maps in found.maps.items():
      title = f"{name}: {words}"
      rows.append(Row(title, clip.frames, (), maps, found.points))
      panels.append(maps)
      lines.append(title)
  save_strip(png, rows, title=video, unit=found.unit)
  lines.append(f"picture: {png}")
  if mp4 is not None:
    protocol = middle_view(networks[first].protocol)
    count = save_overlay(mp4, reader, protocol, clips[first].indices, panels)
    lines.append(f"video of {count} frames: {mp4}")
  return lines


def _draw_calibration(
  reader: Reader,
  networks: Mapping[str, SavedModel],
  video: str,
  png: str | os.PathLike,
  layer: str | None,
) -> list[str]:
  """Draws the factors of one layer, and how far all layers' are from 1."""
  ((name, saved),) = networks.items()
  clip = _read_clips(reader, networks)[name]
  found = jax.jit(create_calibrations(saved))(
    open_variables(saved, names=False), clip.frames
  )
  factors = {key: np.asarray(values) for key, values in found.items()}
  far = deviations(factors)
  most = choose_layer(factors, layer or max(far, key=far.get), ())
  save_calibration(
    png,
    factors,
    most,
    clip.frames,
    clip.times,
    title=f"{video}: calibration by {name}",
  )
  return [
    *(f"{key}: mean |factor - 1| {value:.4f}" for key, value in far.items()),
    f"picture of {most}: {png}",
  ]


def _read_clips(
  reader: Reader, networks: Mapping[str, SavedModel]
) -> dict[str, ReadClip]:
  """Reads the clip of each network; a common clip once."""
  read: dict[EvalProtocol, ReadClip] = {}
  clips = {}
  for name, saved in networks.items():
    saved.check_rgb()
    protocol = middle_view(saved.protocol)
    if protocol not in read:
      read[protocol] = read_clip(reader, protocol)
    clips[name] = read[protocol]
  return clips


def _same(one: ReadClip, other: ReadClip) -> bool:
  """Whether two networks see the same frames."""
  return np.array_equal(one.frames, other.frames) and np.array_equal(
    one.indices, other.indices
  )
