"""Writes tar files of samples, as WebDataset's writer names them."""

import io
import os
import tarfile


def write_shard(path, files, form=tarfile.PAX_FORMAT):
  """Writes (name, content) pairs; a TarInfo for a name is written as it is."""
  path.parent.mkdir(parents=True, exist_ok=True)
  with tarfile.open(path, "w", format=form) as tar:
    for name, content in files:
      member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
      member.size = len(content)
      tar.addfile(member, io.BytesIO(content))
  return path


def shard_folder(video_folder, root):
  """Writes the videos of a folder as train-0, train-1 and test-0.tar."""
  samples = [
    (f"{video.parent.name}_{video.stem}", video.read_bytes(), video.parent.name)
    for video in sorted(video_folder.glob("*/*.mp4"))
  ]
  parts = {"train-0": samples[0::3], "train-1": samples[1::3], "test-0": samples[2::3]}
  for name, part in parts.items():
    files = [
      (f"{key}.{suffix}", content)
      for key, video, label in part
      for suffix, content in (("mp4", video), ("cls", label.encode()))
    ]
    write_shard(root / f"{name}.tar", files)
  return root


def blank_all_but(path, kept):
  """Overwrites a file with zeros apart from members; its time stays."""
  status = path.stat()
  content = bytearray(status.st_size)
  whole = path.read_bytes()
  for member in kept:
    place = slice(member.offset, member.offset + member.num_bytes)
    content[place] = whole[place]
  path.write_bytes(content)
  os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
