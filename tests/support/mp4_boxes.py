"""Builds MP4 files box by box, so that their tables may say anything."""

import struct
import zlib


def box(kind: str, *content: bytes) -> bytes:
  """Returns a box of a kind."""
  inside = b"".join(content)
  return struct.pack(">I4s", 8 + len(inside), kind.encode()) + inside


def table(kind: str, *numbers: int) -> bytes:
  """Returns a box of version 0, flags 0, and numbers of four bytes."""
  return box(kind, struct.pack(f">I{len(numbers)}I", 0, *numbers))


def track(
  *,
  samples: int = 1,
  sample_size: int = 8,
  chunk_samples: int | None = None,
  chunks: int = 1,
  edits: int = 0,
  sound: bool = False,
) -> bytes:
  """Returns a track of 64 x 48 Motion JPEG, or of sound, with these values.

  Args:
    samples: Number of samples, all of one size.
    sample_size: Bytes of each.
    chunk_samples: Samples in each chunk; None for all of them.
    chunks: Entries of the table of chunks.
    edits: Entries of an edit list, each of which shows everything.
    sound: Whether it is sound of 16 bits.
  """
  if sound:
    kind, handler = "sowt", b"soun"
    header = struct.pack(">8x4H4x", 1, 16, 0, 0)[:-4] + struct.pack(">2H", 8, 0)
  else:
    kind, handler = "jpeg", b"vide"
    header = struct.pack(">16x2H50x", 64, 48)
  entry = box(kind, struct.pack(">6xH", 1), header)
  stbl = box(
    "stbl",
    box("stsd", struct.pack(">2I", 0, 1), entry),
    table("stts", 1, samples, 1),
    table("stsc", 1, 1, chunk_samples or samples, 1),
    table("stsz", sample_size, samples),
    table("stco", chunks, *range(chunks)),
  )
  matrix = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
  shown = (entry for _ in range(edits) for entry in (1 << 30, 0, 1 << 16))
  return box(
    "trak",
    box("tkhd", struct.pack(">6I16x", 1, 0, 0, 1, 0, 1000), matrix, bytes(8)),
    box("edts", table("elst", edits, *shown)) if edits else b"",
    box(
      "mdia",
      table("mdhd", 0, 0, 1000, 1000, 0),
      box("hdlr", bytes(8), handler, bytes(13)),
      box("minf", box("dinf", table("dref", 1, 12, 0x75726C20, 1)), stbl),
    ),
  )


def movie(*parts: bytes) -> bytes:
  """Returns the header of a movie with tracks and other boxes."""
  return box("moov", table("mvhd", 0, 0, 1000, 1000, *20 * [0], 2), *parts)


def compressed(header: bytes) -> bytes:
  """Returns a header of old QuickTime, compressed."""
  content = struct.pack(">I", len(header)) + zlib.compress(header)
  return box("moov", box("cmov", box("dcom", b"zlib"), box("cmvd", content)))


def fragment(samples: int) -> bytes:
  """Returns a run of samples that has no byte for any of them."""
  return box(
    "moof",
    table("mfhd", 1),
    box("traf", table("tfhd", 1), table("trun", samples)),
  )


def file(*parts: bytes, size: int = 4000) -> bytes:
  """Returns a QuickTime file, filled up to a size."""
  content = box("ftyp", b"qt  ", bytes(4)) + b"".join(parts)
  rest = max(size - len(content) - 8, 0)
  return content + box("mdat", bytes(rest))


# Files whose headers ask for gigabytes, or would with more zeros.
ATTACKS = {
  "samples of one size": file(movie(track(samples=50_000_000))),
  "samples of a fragment": file(
    movie(track(samples=0), box("mvex", table("trex", 1, 1, 1, 8, 0))),
    fragment(50_000_000),
  ),
  "fragments": file(
    movie(track(samples=0), box("mvex", table("trex", 1, 1, 1, 8, 0))),
    *40 * [fragment(3000)],
  ),
  "samples of chunks": file(
    movie(track(samples=2**32 - 1, chunk_samples=2**30, chunks=30, sound=True))
  ),
  "edits": file(movie(track(samples=20_000, edits=2000)), size=400_000),
  "tracks": file(movie(*20 * [track(samples=4000, sample_size=1)]), size=30_000),
  "compressed": file(compressed(movie(track(samples=50_000_000)))),
  "hidden": file(box("free", movie(track(samples=50_000_000))[8:])),
  "unfinished": file(box("free", compressed(movie(track(samples=50_000_000)))[8:])),
  "items": file(
    box(
      "meta",
      bytes(4),
      box("hdlr", bytes(8), b"pict", bytes(13)),
      box("iinf", struct.pack(">2I", 1 << 24, 200_000_000)),
    )
  ),
  "locations": file(
    box(
      "meta",
      bytes(4),
      box("hdlr", bytes(8), b"pict", bytes(13)),
      box("iloc", struct.pack(">IHI", 2 << 24, 0x4440, 200_000_000)),
    )
  ),
}
