"""Check, look at, transcode, build and unpack the videos of a data set."""

import argparse
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from temporal_jax import extras
from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.data_arguments import add_arguments as add_arguments
from temporal_jax.storage import check_outputs

if TYPE_CHECKING:
  from temporal_jax.data import Source
  from temporal_jax.data.annotations import Annotations
  from temporal_jax.data.annotations.films import FilmAnnotations

COMPUTES = False
_LISTED = 12  # Classes, at most, that are counted one by one.


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all is well, 1 if something is wrong with the data."""
  tasks = {
    "check": _check,
    "inspect": _inspect,
    "transcode": _transcode,
    "build": _build,
    "unpack": _unpack,
    "segments": _segments,
  }
  return tasks[options.task](options)


def _check(options: argparse.Namespace) -> int:
  from temporal_jax.data.listing.shard_names import refuse_shards
  from temporal_jax.data.tools.check import check_folder

  refuse_shards(options.root, "data check")
  found = check_folder(
    options.root,
    manifest=options.manifest,
    bad=options.bad,
    num_threads=options.threads,
    time_limit=options.time_limit,
    track=output.track("decoding"),
  )
  for path, reason in sorted(found.bad.items()):
    output.say(f"bad: {path}: {reason}")
  _say_others(found.others)
  output.say(
    f"{len(found.rows)} videos: {found.decoded} decoded, {found.kept} known "
    f"from before, {len(found.bad)} bad. See {options.manifest} and "
    f"{options.bad}."
  )
  return 1 if found.bad else 0


def _inspect(options: argparse.Namespace) -> int:
  from temporal_jax.data.listing.find_videos import file_sources
  from temporal_jax.data.tools import inspect
  from temporal_jax.data.video.manifest import read_manifest

  if options.manifest and not options.manifest.exists():
    raise FileNotFoundError(f"{options.manifest} does not exist.")
  sources = file_sources(
    options.root,
    options.test_fraction,
    options.tasks,
    test_split=options.test_split,
    frames=options.frames,
    say=output.say,
  )
  read = [*filter(None, [options.root, options.manifest]), *_files(sources.values())]
  check_outputs({"--json": options.json, "--sheet": options.sheet}, read)
  root = options.root if options.root.is_dir() else options.root.parent
  found = inspect.inspect_sources(
    sources,
    root=root,
    manifest=read_manifest(options.manifest) if options.manifest else {},
  )
  _describe(found)
  if options.json:
    output.write_json(options.json, found)
  if options.sheet:
    from temporal_jax.data.tools.contact_sheet import save_contact_sheet

    save_contact_sheet(options.sheet, sources["train"])
    output.say(f"pictures of training videos: {options.sheet}.")
  return 1 if _problems(found) else 0


def _files(sources: "Iterable[Source]") -> Iterator[str]:
  """Yields the paths of the videos that are files or folders."""
  for source in sources:
    for index in range(len(source)):
      video = source[index]["video"]
      if isinstance(video, str):
        yield video


def _describe(found: dict[str, Any]) -> None:
  """Prints the findings, one per line."""
  for split, number in found["videos"].items():
    output.say(f"{split}: {number} videos.")
  labels = found["labels"]
  for task, part in ({"": labels} if "counts" in labels else labels).items():
    name = f"{task}: " if task else ""
    output.say(
      f"{name}labels {part['lowest']} to {part['highest']}, "
      f"{len(part['gaps'])} gaps {part['gaps'] or ''}".rstrip()
      + "."
    )
    for split, counts in part["counts"].items():
      if any(counts.values()):
        few, many = (pick(counts, key=counts.get) for pick in (min, max))
        if counts[few] == counts[many]:
          numbers = f"{counts[few]}"
        elif len(counts) <= _LISTED:
          numbers = ", ".join(f"{counts[one]} ({one})" for one in counts)
        else:
          numbers = f"{counts[few]} ({few}) to {counts[many]} ({many})"
        output.say(f"{name}{split}: {numbers} videos per class.")
  for start, number in found["frame_folders"]["starts"].items():
    output.say(f"{number} folders of frames begin with number {start}.")
  for problem in _problems(found):
    output.say(problem)


def _problems(found: dict[str, Any]) -> list[str]:
  """Returns a line for each thing that is wrong."""
  frames = found["frame_folders"]
  lines = [f"missing: {name}" for name in found["missing"]]
  lines += [f"bad: {name}: {why}" for name, why in found["bad"].items()]
  lines += [
    "same content in several splits: "
    + ", ".join(f"{name} ({split})" for split, name in group)
    for group in found["duplicates"]
  ]
  lines += [f"no frames: {folder}" for folder in frames["empty"]]
  lines += [
    f"pictures of several patterns in {folder}: {patterns}; set --frames to "
    "the pattern of the frames"
    for folder, patterns in frames["patterns"].items()
  ]
  lines += [
    f"frames lack in {folder}: {numbers}" for folder, numbers in frames["gaps"].items()
  ]
  labels = found["labels"]
  for task, part in ({"": labels} if "counts" in labels else labels).items():
    if part["outside"]:
      lines.append(f"{task} labels without a class: {part['outside']}".strip())
  return lines


def _segments(options: argparse.Namespace) -> int:
  from temporal_jax.data.annotations.segment_list import read_segment_list
  from temporal_jax.data.tools import segment_report

  found = read_segment_list(options.list, on_error="skip")
  read = [options.list, *(film.path for film in found.films)]
  check_outputs({"--png": options.png}, read)
  missing = segment_report.missing_videos(found.films)
  for path in missing:
    output.say(f"missing: {path}")
  if options.features:
    found = _with_features(found, options.features)
  for one in found.left_out:
    output.say(f"bad: {one.message}")
  for name, count in found.counts().items():
    output.say(f"{name}: {count}.")
  output.say(f"  {'segments':>8} {'films':>6} {'shortest, median, longest':>26}  class")
  for row in segment_report.count_classes(found):
    lengths = " ".join(f"{length:7.2f}" for length in row.lengths)
    output.say(f"  {row.segments:8} {row.films:6} {lengths:>24} s  {row.name}")
  if options.png:
    segment_report.save_segment_sheet(options.png, found)
    output.say(f"segments of some films: {options.png}.")
  # Whose features are there needs no videos.
  return 1 if found.left_out or (missing and not options.features) else 0


def _with_features(
  annotations: "FilmAnnotations", features: pathlib.Path
) -> "FilmAnnotations":
  """Leaves out films without good features, and lists them."""
  from temporal_jax.localization.features import FeatureStore, match_features

  found, kind = match_features(annotations, FeatureStore(features), on_error="skip")
  made = f" by {kind.model}" if kind.model else ""
  output.say(
    f"features: {kind.width} numbers each {kind.stride:g} frames, of "
    f"{kind.window:g} frames{made}."
  )
  return found


def _transcode(options: argparse.Namespace) -> int:
  from temporal_jax.data.listing.scan_folder import list_videos
  from temporal_jax.data.listing.shard_names import refuse_shards
  from temporal_jax.data.tools.transcode_folder import transcode_folder
  from temporal_jax.data.video.transcode import Transcoding

  refuse_shards(options.root, "data transcode")
  listing = list_videos(options.root)
  done = transcode_folder(
    options.root,
    options.out,
    Transcoding(options.short_side, options.gop, options.crf),
    num_threads=options.threads,
    track=output.track("transcoding"),
  )
  for path, reason in sorted(done.bad.items()):
    output.say(f"bad: {path}: {reason}")
  _say_others(listing.others)
  if listing.frame_folders:
    output.say(
      f"{len(listing.frame_folders)} folders of frames are left out, as the "
      f"times of their frames are not known: {listing.frame_folders[0]}, ..."
    )
  output.say(
    f"{done.written} videos written to {options.out}, {done.kept} were there; "
    f"{len(done.bad)} bad."
  )
  return 1 if done.bad else 0


def _say_others(others: Mapping[str, int]) -> None:
  """Lists the files that are no videos."""
  from temporal_jax.data.listing.scan_folder import count_by_suffix

  if others:
    output.say(f"no videos by their names, not looked at: {count_by_suffix(others)}.")


def _build(options: argparse.Namespace) -> int:
  extras.check_train("data build")
  from temporal_jax.data import datasets
  from temporal_jax.data.annotations import DATA_SETS
  from temporal_jax.data.datasets.annotated import AnnotatedVideos
  from temporal_jax.data.datasets.prepare import prepare

  made = [*datasets.DATASETS, *datasets.FILMS]
  if options.name in made or not options.name.isidentifier():
    raise ValueError(
      f"{options.name!r} cannot be the name of a data set that is built: it is "
      f"letters, digits and underscores, and none of {', '.join(made)}."
    )
  is_known = options.name in DATA_SETS
  found, videos = _read_known(options) if is_known else _read_own(options)
  missing = [
    record.path for record in found.records if not (videos / record.path).is_file()
  ]
  for path in missing:
    output.say(f"missing: {path}")
  if missing:
    output.say(
      f"{len(missing)} of {len(found.records)} videos are no files in {videos}."
    )
    return 1
  builder = AnnotatedVideos(
    options.name,
    found,
    videos,
    data_dir=str(options.out),
    file_format="array_record",
  )
  if not prepare(builder, output.say):
    raise FileExistsError(
      f"{builder.data_dir} is there already, maybe of other videos: give another name "
      "or OUT, or remove it to build it anew."
    )
  output.say(f"{len(found.records)} videos: {options.out / options.name}.")
  return 0


def _read_known(
  options: argparse.Namespace,
) -> tuple["Annotations", pathlib.Path]:
  """Returns published annotations and the folder of their videos."""
  from temporal_jax.data.annotations import open_annotations

  found = open_annotations(options.name, options.root)
  if found.note:
    output.say(f"{found.note}.")
  return found, options.videos or options.root


def _read_own(
  options: argparse.Namespace,
) -> tuple["Annotations", pathlib.Path]:
  """Returns a user's own folder or CSV file like annotations."""
  from temporal_jax.data.annotations import DATA_SETS
  from temporal_jax.data.datasets.annotated import own_annotations
  from temporal_jax.data.listing.find_videos import file_sources
  from temporal_jax.data.listing.shard_names import refuse_shards

  refuse_shards(options.root, "data build")
  if options.videos:
    raise ValueError(
      f"--videos is for published annotations, {', '.join(DATA_SETS)}; "
      f"{options.name!r} is a name for your own videos, which ROOT lists."
    )
  try:
    sources = file_sources(
      options.root,
      options.test_fraction,
      options.tasks,
      test_split=options.test_split,
      say=output.say,
    )
  except ValueError as error:
    raise ValueError(
      f"{error} (Published annotations are called {', '.join(DATA_SETS)}.)"
    ) from error
  return own_annotations(sources)


def _unpack(options: argparse.Namespace) -> int:
  extras.check_train("data unpack")
  from temporal_jax.data.tools.unpack import unpack

  done = unpack(
    options.name,
    options.out,
    options.data_dir,
    per_class=options.per_class,
    skip=options.skip,
  )
  counts = " and ".join(
    f"{count} {'training' if split == 'train' else split} videos"
    for split, count in done.videos.items()
  )
  output.say(f"{counts} of {done.classes} classes: {options.out}.")
  return 0
