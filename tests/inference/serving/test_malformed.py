import concurrent.futures
import contextlib
import socket
import tempfile
import threading
import time

from temporal_jax.data import open_reader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.storage.lock import LOCK
from tests.conftest import make_frames
from tests.support.malformed_requests import MOST, attempts
from tests.support.page_server import (
  ask,
  connect,
  error_of,
  post,
  read_all,
  running,
  split,
  wait_for,
)

MAY_SAY_NOTHING = {"noise", "half closed"}  # Not even a line.


def _count_frames(path):
  with open_reader(str(path)) as reader:
    return {"frames": reader.num_frames}


def _send(server, attempt):
  """Returns the answer, and fails if the connection stays open."""
  with connect(server) as connection:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
      for part in attempt.parts:
        connection.sendall(part)
        time.sleep(attempt.pause)
      if attempt.leaves:
        connection.shutdown(socket.SHUT_WR)
    return read_all(connection)


def test_malformed_requests_get_an_error_and_do_no_harm(tmp_path, monkeypatch):
  monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
  monkeypatch.chdir(tmp_path)
  video = encode_mp4(make_frames(10), fps=10)
  limits = {
    **dict(max_bytes=MOST, head=1.0, body=1.0, grace=0.5, goodbye=0.5),
    **dict(connections=64, uploads=64, share=1.0),
  }
  threads = threading.active_count()
  with running(_count_frames, limits=limits) as server:
    host = "127.0.0.1:{1}".format(*server.server_address)
    drawn = attempts(200, 0, host, video)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
      answers = list(pool.map(lambda attempt: _send(server, attempt), drawn))
    for attempt, answer in zip(drawn, answers, strict=True):
      said = attempt.kind, attempt.parts[0][:300], answer[:300]
      assert answer or attempt.kind in MAY_SAY_NOTHING, said
      if answer:
        status, _ = error_of(answer)
        assert status != 500, said
    assert sum(not answer for answer in answers) < 10
    status, _, body = split(ask(server, post(server, video)))
    assert status == 200
    assert b'"frames": 10' in body
    folder = server.service.folder
    assert set(tmp_path.rglob("*")) == {folder.parent, folder, folder.parent / LOCK}
    assert not list(tmp_path.parent.glob("*escaped*"))
    wait_for(lambda: threading.active_count() == threads + 1)
  assert list(tmp_path.iterdir()) == []
