import http.server
import json
import logging
import struct
import threading
import time

import pytest
from tensorboardX.proto import event_pb2

from temporal_jax.training import observers
from temporal_jax.training.observers import (
  OBSERVERS,
  Observers,
  RunStart,
  check_observers,
)


def _start(workdir, step=0, project="videos"):
  """Returns a start of a run."""
  config = {"seed": 0, "optim": {"betas": [0.9, 0.999]}}
  description = {"model": "resnet18", "classes": ["rise", "fall"]}
  return RunStart(workdir, step, project, config, description)


def _observe(names, start, rows, failed=False):
  """One start with the given rows."""
  observed = Observers(names, start)
  for step, values in rows:
    observed.row(step, values)
  observed.end(failed)


def test_a_later_start_hides_later_steps_on_tensorboard(tmp_path):
  """As TensorBoard knows it: a session that starts at the step after."""
  _observe(["tensorboard"], _start(tmp_path, step=7), [(8, {"loss": 0.5})])
  (file,) = (tmp_path / "tensorboard").iterdir()
  content, events = file.read_bytes(), []
  while content:
    (length,) = struct.unpack("<Q", content[:8])
    events.append(event_pb2.Event.FromString(content[12 : 12 + length]))
    content = content[16 + length :]
  version, start, row = events
  assert version.file_version == "brain.Event:2"
  assert start.step == row.step == 8
  assert start.session_log.status == event_pb2.SessionLog.START
  (value,) = row.summary.value
  assert (value.tag, value.simple_value) == ("loss", 0.5)


def _wandb_records(file):
  """Yields the records of an offline run of wandb, a log as LevelDB's."""
  from wandb.proto import wandb_internal_pb2

  content, place, parts = file.read_bytes(), 7, b""  # 7 bytes begin the file,
  while place < len(content):
    if 2**15 - place % 2**15 < 7:  # and no header is across two blocks.
      place += 2**15 - place % 2**15
      continue
    if len(content) - place < 7:
      return
    _, size, kind = struct.unpack("<IHB", content[place : place + 7])
    place += 7 + size
    if place > len(content):
      return
    parts += content[place - size : place]
    if kind in (1, 4):  # The whole record, or its last part.
      yield wandb_internal_pb2.Record.FromString(parts)
      parts = b""


def _ended_records(file):
  """Returns the records of a run; wandb's process writes after `finish`."""
  deadline = time.monotonic() + 30.0
  while True:
    records = list(_wandb_records(file))
    if records and records[-1].WhichOneof("record_type") == "exit":
      return records
    assert time.monotonic() < deadline, records
    time.sleep(0.05)


def test_two_starts_are_one_run_of_wandb(tmp_path, monkeypatch):
  monkeypatch.setenv("WANDB_MODE", "offline")
  monkeypatch.setenv("WANDB_SILENT", "true")
  _observe(["wandb"], _start(tmp_path), [(5, {"loss": 0.5})], failed=True)
  _observe(["wandb"], _start(tmp_path, 5), [(9, {"loss": 0.25, "final/top1": 1.0})])
  files = sorted((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
  assert len(files) == 2
  rows, codes = [], []
  for file in files:
    for record in _ended_records(file):
      kind = record.WhichOneof("record_type")
      if kind == "run":
        assert (
          record.run.run_id
          == json.loads((tmp_path / "observers.json").read_text())["id"]
        )
        assert (record.run.project, record.run.display_name) == (
          "videos",
          tmp_path.name,
        )
        config = {
          item.key or item.nested_key[0]: json.loads(item.value_json)
          for item in record.run.config.update
        }
        assert config["optim"] == {"betas": [0.9, 0.999]}
        assert config["description"]["classes"] == ["rise", "fall"]
      elif kind == "history":
        names = [item.key or item.nested_key[0] for item in record.history.item]
        values = [json.loads(item.value_json) for item in record.history.item]
        row = dict(zip(names, values, strict=True))
        rows.append({name: row[name] for name in row if name[0] != "_"})
      elif kind == "exit":
        codes.append(record.exit.exit_code)
  assert rows == [
    {"step": 5, "loss": 0.5},
    {"step": 9, "loss": 0.25, "final/top1": 1.0},
  ]
  assert codes == [1, 0]


class _LostService(http.server.BaseHTTPRequestHandler):
  """Answers for wandb's server until a run has begun, and then never."""

  protocol_version = "HTTP/1.1"
  has_begun = threading.Event()

  def do_POST(self):
    asked = self.rfile.read(int(self.headers["Content-Length"] or 0))
    entity = {"id": "e", "name": "e"}
    bucket = {"id": "r", "name": "r", "displayName": "r", "config": "{}"}
    bucket["project"] = {"id": "p", "name": "p", "entity": entity}
    data = {
      "viewer": {"id": "v", "entity": "e", "username": "u", "flags": "{}"},
      "serverInfo": {"features": [], "cliVersionInfo": {}},
      "model": None,
      "upsertBucket": {"bucket": bucket, "inserted": True},
    }
    answer = json.dumps({"data": data}).encode()
    self.send_response(503 if self.has_begun.is_set() else 200)
    if b"UpsertBucket" in asked:
      self.has_begun.set()
    self.send_header("Content-Type", "application/json")
    self.send_header("Content-Length", str(len(answer)))
    self.end_headers()
    self.wfile.write(answer)

  do_GET = do_PUT = do_POST  # noqa: N815

  def log_message(self, *words):
    """Prints nothing."""


def test_a_lost_network_does_not_keep_a_run_from_its_end(tmp_path, monkeypatch, caplog):
  import wandb

  from temporal_jax.training import wandb_run

  wandb.teardown()  # It has read the variables of other tests.
  monkeypatch.setattr(_LostService, "has_begun", threading.Event())
  server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _LostService)
  server.daemon_threads = True
  threading.Thread(target=server.serve_forever, daemon=True).start()
  monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.server_port}")
  monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
  monkeypatch.setenv("WANDB_SILENT", "true")
  monkeypatch.setitem(wandb_run._WAITS, "finish_timeout", 1.0)
  with caplog.at_level(logging.WARNING):
    _observe(["wandb"], _start(tmp_path), [(1, {"a": 1.0})])
  wandb.teardown()
  server.shutdown()
  server.server_close()
  assert _LostService.has_begun.is_set()
  assert [r.getMessage() for r in caplog.records if r.name == "absl"] == [
    "the observer wandb failed, and the run goes on: TimeoutError: Timed out "
    "finishing run."
  ]


def test_two_starts_are_one_run_of_trackio(tmp_path, monkeypatch):
  monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
  import trackio
  from trackio.sqlite_storage import SQLiteStorage

  workdir = tmp_path / "run"
  workdir.mkdir()
  _observe(["trackio"], _start(workdir), [(5, {"loss": 0.5})])
  _observe(["trackio"], _start(workdir, 5), [(9, {"loss": 0.25})])
  (run,) = trackio.Api().runs("videos")
  assert run.name.startswith("run-")
  assert run.config["optim"] == {"betas": [0.9, 0.999]}
  assert run.config["description"]["classes"] == ["rise", "fall"]
  rows = SQLiteStorage.get_logs("videos", run.name)
  assert [(row["step"], row["loss"]) for row in rows] == [(5, 0.5), (9, 0.25)]


class _Failing:
  """An observer whose service is away."""

  def __init__(self, start):
    self.calls = []

  def row(self, step, values):
    self.calls.append(step)
    raise ConnectionError("no\nroute")

  def end(self, failed):
    self.calls.append("end")
    raise ConnectionError("no route")


def test_a_failing_observer_is_a_warning_once(tmp_path, monkeypatch, caplog):
  monkeypatch.setattr(observers, "open_failing", _Failing, raising=False)
  entry = OBSERVERS["tensorboard"]._replace(module="observers", factory="open_failing")
  monkeypatch.setattr(observers, "OBSERVERS", {**OBSERVERS, "failing": entry})
  with caplog.at_level(logging.WARNING):
    _observe(
      ["failing", "tensorboard"], _start(tmp_path), [(1, {"a": 1.0}), (2, {"a": 2.0})]
    )
  assert [record.getMessage() for record in caplog.records] == [
    "the observer failing failed, and the run goes on: ConnectionError: no route"
  ]
  (file,) = (tmp_path / "tensorboard").iterdir()
  assert file.stat().st_size > 0


def test_an_observer_that_does_not_open_is_a_warning(tmp_path, caplog):
  (tmp_path / "observers.json").write_text("[]")
  with caplog.at_level(logging.WARNING):
    _observe(["wandb"], _start(tmp_path), [(1, {"a": 1.0})])
  (record,) = caplog.records
  assert "observers.json must hold" in record.getMessage()
  assert not (tmp_path / "wandb").exists()


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_missing_package_is_a_sentence(name, monkeypatch):
  monkeypatch.setattr(observers.importlib.util, "find_spec", lambda name: None)
  with pytest.raises(ImportError) as caught:
    check_observers(("tensorboard", name)[1:])
  assert str(caught.value) == (
    f"the observer {name!r} needs {name}: run `pip install '.[{name}]'` in a copy of "
    "the repository."
  )


def test_a_folder_of_the_packages_name_is_no_package(tmp_path, monkeypatch):
  monkeypatch.setattr("sys.path", [str(tmp_path)])
  monkeypatch.setattr(
    observers,
    "OBSERVERS",
    {"x": OBSERVERS["wandb"]._replace(package="folder_of_nothing")},
  )
  (tmp_path / "folder_of_nothing").mkdir()
  with pytest.raises(ImportError, match="needs folder_of_nothing"):
    check_observers(["x"])


def test_an_unknown_observer_is_named():
  with pytest.raises(ValueError, match="unknown observer 'wand'; did you mean 'wandb'"):
    check_observers(["wand"])
