"""Answers for the page, and what tests do with it in a browser."""

import base64
import json
import struct
import threading
import zlib

from temporal_jax.data import VideoError, open_reader
from temporal_jax.data.video.encoding import encode_mp4
from tests.conftest import make_frames

LABELS = ["jumping", "<b>bold</b>", "running"]
TABLE = "\ufeffpart,start (s),end (s),ö\r\n"
HELD = threading.Event()  # Answers to videos of 19 frames wait for it.


def _png(width, height):
  """Returns a grey picture."""
  rows = (b"\0" + b"\x80" * width) * height
  parts = [
    (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
    (b"IDAT", zlib.compress(rows)),
    (b"IEND", b""),
  ]
  return b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(data))
    + kind
    + data
    + struct.pack(">I", zlib.crc32(kind + data))
    for kind, data in parts
  )


def answer(path):
  with open_reader(str(path)) as reader:
    frames, seconds = reader.num_frames, reader.num_frames / reader.fps
  if frames == 19:
    HELD.wait(20)
  if 20 < frames < 90:
    raise VideoError(f"{frames} frames are too many")
  return create_answer(frames, seconds, LABELS)


def create_answer(frames, seconds, labels):
  shares = [
    [*row, *[0.0] * (len(labels) - 3)]
    for row in ([0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6])
  ]
  points = [
    {"start": 0.5 * i, "end": 0.5 * i + 1, "probabilities": share}
    for i, share in enumerate(shares)
  ]
  predictions = [
    {"label": label, "probability": share}
    for label, share in zip(labels, (0.625, 0.25, 0.125, 0, 0), strict=False)
  ]
  image = base64.b64encode(_png(80, 20)).decode()
  return {
    "frames": frames,
    "seconds": seconds,
    "tasks": [
      {
        "name": "",
        "predictions": predictions,
        "timeline": {"labels": labels, "points": points},
      }
    ],
    "strip": {
      "about": f"where it saw {labels[0]}",
      "pictures": [
        {"time": time, "image": f"data:image/png;base64,{image}"}
        for time in (0.25, 1.0)
      ],
    },
    "downloads": [
      {"title": "Table", "suffix": ".csv", "type": "text/csv", "text": TABLE},
      {"title": "Words", "suffix": ".srt", "type": "text/plain", "text": "1"},
    ],
  }


def introduction(*names):
  tasks = [{"name": "", "count": len(names), "classes": names}]
  facts = [("Clips", "4 frames of 16 \u00d7 16 pixels")]
  return {"model": "tiny", "facts": facts, "tasks": tasks, "maxSeconds": 600}


def text(browser, selector):
  return browser.run("return document.querySelector(arguments[0]).innerText", selector)


DROP = """
const [bytes, name] = arguments;
const data = Uint8Array.from(atob(bytes), (x) => x.charCodeAt(0));
const dataTransfer = new DataTransfer();
dataTransfer.items.add(new File([data], name));
for (const type of ["dragenter", "dragover", "drop"]) {
  document.querySelector("#zone").dispatchEvent(new DragEvent(
    type, {dataTransfer, bubbles: true, cancelable: true}));
}
"""


def problem(browser):
  browser.wait("!document.querySelector('#problem').hidden")
  return text(browser, "#problem")


def look_at(browser, path):
  """Waits for the answer for a video."""
  browser.choose("#file", path)
  browser.wait(
    f"document.querySelector('#about').innerText.includes({json.dumps(path.name)})"
  )


def write_other(folder, frames=10):
  path = folder / "other.mp4"
  path.write_bytes(encode_mp4(make_frames(frames), fps=10))
  return path
