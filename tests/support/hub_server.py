"""A server on 127.0.0.1 that speaks the hub's API, for tests without a network.

Large files (by their ending) are redirected to another host name, as the hub's
are, and are named by their sha256; others by the sha1 of a git object.
"""

import base64
import contextlib
import dataclasses
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator, Mapping

import pytest
from huggingface_hub import constants

from temporal_jax import hub

_LARGE = (".safetensors", ".bin", ".pt", ".pth", ".npz")
_MODEL = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?")
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_PREUPLOAD = re.compile(r"/api/models/([^/]+/[^/]+)/preupload/([^/]+)")
_COMMIT = re.compile(r"/api/models/([^/]+/[^/]+)/commit/([^/]+)")
_BATCH = re.compile(r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch")


@dataclasses.dataclass
class Repository:
  """A repository.

  Attributes:
    commits: Hash of a commit -> its files.
    branches: Branch or tag -> hash of its commit.
    gated: Status of downloads, 401 or 403; 0 if they are free.
    moved_to: Name that it has now; "" if it has its own.
    card: The last README.md that the server checked.
  """

  commits: dict[str, dict[str, bytes]] = dataclasses.field(default_factory=dict)
  branches: dict[str, str] = dataclasses.field(default_factory=dict)
  gated: int = 0
  moved_to: str = ""

  def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
    """Adds a commit with these files; returns its hash."""
    content = repr((branch, len(self.commits), sorted(files))).encode()
    name = hashlib.sha1(content).hexdigest()
    self.commits[name] = dict(files)
    self.branches[branch] = name
    return name

  def files(self, revision: str) -> dict[str, bytes] | None:
    """Returns the files of a branch or a commit; None if there is none."""
    return self.commits.get(self.branches.get(revision, revision))


class HubServer:
  """The server; its attributes may be changed while it runs.

  Attributes:
    repositories: By their names.
    requests: "METHOD path" of each request so far.
    cut: Bytes after which the next downloads break off, one for each.
    corrupted: Whether downloads have another byte in the middle.
    status: Status of all answers; 0 for the right ones.
    headers: Headers of files, instead of the right ones.
    listing: Answer to a request for a listing; None for the right one.
    committed: Answer to a commit; None for the right one.
    token: Token that commits need.
    cards: README.md that clients asked to check.
  """

  def __init__(self) -> None:
    self.repositories: dict[str, Repository] = {}
    self.requests: list[str] = []
    self.cut: list[int] = []
    self.corrupted = False
    self.status = 0
    self.headers: dict[str, str] = {}
    self.listing: bytes | None = None
    self.committed: dict[str, object] | None = None
    self.token = "hf_test"
    self.cards: list[str] = []
    self.contents: dict[str, bytes] = {}
    handler = type("Handler", (_Handler,), {"hub": self})
    self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    self._server.daemon_threads = True
    self._thread = threading.Thread(
      target=self._server.serve_forever, args=(0.02,), daemon=True
    )

  @property
  def url(self) -> str:
    """Address of the API."""
    return f"http://127.0.0.1:{self._server.server_port}"

  @property
  def store(self) -> str:
    """Address of large files: another host."""
    return f"http://localhost:{self._server.server_port}"

  def add(self, name: str, files: Mapping[str, bytes]) -> str:
    """Adds a commit to the main branch of a repository; returns its hash."""
    return self.repositories.setdefault(name, Repository()).commit(files)

  def downloads(self) -> list[str]:
    """Returns the requests for contents of files."""
    return [r for r in self.requests if r.startswith("GET") and "/api/" not in r]

  def __enter__(self) -> "HubServer":
    self._thread.start()
    return self

  def __exit__(self, *exception: object) -> None:
    self._server.shutdown()
    self._server.server_close()


@contextlib.contextmanager
def local_hub(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
  """Runs a server that this process's client and its children use."""
  cache = tmp_path / "hf"
  with HubServer() as server:
    environment = {
      "HF_ENDPOINT": server.url,
      "HF_HOME": str(cache),
      "HF_HUB_DISABLE_XET": "1",
      "HF_HUB_DISABLE_TELEMETRY": "1",
      "HF_TOKEN": server.token,
    }
    for name, value in environment.items():
      monkeypatch.setenv(name, value)
    # The client reads them when it is imported.
    for name, value in {
      "ENDPOINT": server.url,
      "HUGGINGFACE_CO_URL_TEMPLATE": server.url
      + "/{repo_id}/resolve/{revision}/{filename}",
      "HF_HUB_CACHE": str(cache / "hub"),
      "HF_URL_HOSTS": frozenset({"127.0.0.1"}),
      "HF_HUB_DISABLE_XET": True,
      "HF_HUB_OFFLINE": False,
      "HF_HUB_DISABLE_TELEMETRY": True,
    }.items():
      monkeypatch.setattr(constants, name, value, raising=False)
    yield server


def refused(address: str, words: str, kind: type[Exception] = hub.HubError) -> str:
  """Returns the error of a download: one sentence, the address first."""
  with pytest.raises(kind, match=words) as caught:
    hub.fetch(address)
  message = str(caught.value)
  assert message.startswith(f"{address}")
  assert message.endswith(".")
  assert "\n" not in message
  assert len(message) < 600
  return message


def is_large(name: str) -> bool:
  """Whether a file is named by its sha256."""
  return name.endswith(_LARGE)


def git_sha1(content: bytes) -> str:
  """Returns the hash of a file as an object of git."""
  return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
  """Answers one connection."""

  protocol_version = "HTTP/1.1"
  hub: HubServer

  def log_message(self, *words: object) -> None:
    """Prints nothing."""

  def do_GET(self) -> None:
    path = self._path()
    if self.hub.status:
      return self._refuse(self.hub.status, "", "out of order")
    if path.startswith("/cdn/"):
      return self._send_content(self.hub.contents[path.removeprefix("/cdn/")])
    if match := _MODEL.fullmatch(path):
      return self._send_info(match[1], urllib.parse.unquote(match[2] or "main"))
    if match := _RESOLVE.fullmatch(path):
      return self._send_file(*map(urllib.parse.unquote, match.groups()))
    return self._refuse(404, "", "no such page")

  do_HEAD = do_GET  # noqa: N815

  def do_POST(self) -> None:
    path = self._path()
    body = self._body()
    if self.hub.status:
      return self._refuse(self.hub.status, "", "out of order")
    if path == "/api/validate-yaml":
      self.hub.cards.append(json.loads(body)["content"])
      return self._send_json({"errors": [], "warnings": []})
    if self.headers["Authorization"] != f"Bearer {self.hub.token}":
      return self._refuse(401, "", "Invalid username or password.")
    if path == "/api/repos/create":
      return self._create(json.loads(body))
    if _PREUPLOAD.fullmatch(path):
      return self._send_json(
        {
          "files": [
            {
              "path": file["path"],
              "uploadMode": "lfs" if is_large(file["path"]) else "regular",
              "shouldIgnore": False,
            }
            for file in json.loads(body)["files"]
          ]
        }
      )
    if _BATCH.fullmatch(path):
      objects = [
        {**one, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}}
        for one in json.loads(body)["objects"]
      ]
      return self._send_json({"transfer": "basic", "objects": objects})
    if match := _COMMIT.fullmatch(path):
      return self._commit(match[1], urllib.parse.unquote(match[2]), body)
    return self._refuse(404, "", "no such page")

  def do_PUT(self) -> None:
    name = self._path().removeprefix("/lfs/")
    self.hub.contents[name] = self._body()
    self._send(200, b"")

  def _path(self) -> str:
    path = urllib.parse.urlsplit(self.path).path
    self.hub.requests.append(f"{self.command} {path}")
    return path

  def _body(self) -> bytes:
    if self.headers.get("Transfer-Encoding") != "chunked":
      return self.rfile.read(int(self.headers.get("Content-Length") or 0))
    parts = []
    while size := int(self.rfile.readline(), 16):
      parts.append(self.rfile.read(size))
      self.rfile.readline()
    self.rfile.readline()
    return b"".join(parts)

  def _find(self, name: str, revision: str) -> tuple[Repository, dict] | None:
    repository = self.hub.repositories.get(name)
    if repository is None:
      # The hub does not show which private repositories exist.
      self._refuse(401, "RepoNotFound", "Repository not found")
      return None
    if repository.moved_to:
      path = self.path.replace(name, repository.moved_to, 1)
      self._send(307, b"", {"Location": path})
      return None
    files = repository.files(revision)
    if files is None:
      self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
      return None
    return repository, files

  def _send_info(self, name: str, revision: str) -> None:
    if not (found := self._find(name, revision)):
      return
    repository, files = found
    siblings = []
    for path, content in files.items():
      entry = {"rfilename": path, "size": len(content), "blobId": git_sha1(content)}
      if is_large(path):
        sha256 = hashlib.sha256(content).hexdigest()
        entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
      siblings.append(entry)
    commit = repository.branches.get(revision, revision)
    if self.hub.listing is not None:
      return self._send(200, self.hub.listing, {"Content-Type": "application/json"})
    self._send_json({"id": name, "sha": commit, "siblings": siblings})

  def _send_file(self, name: str, revision: str, path: str) -> None:
    if not (found := self._find(name, revision)):
      return
    repository, files = found
    if repository.gated:
      self._refuse(repository.gated, "GatedRepo", f"Access to {name} is restricted")
      return
    if path not in files:
      self._refuse(404, "EntryNotFound", "Entry not found")
      return
    content = files[path]
    headers = {"X-Repo-Commit": repository.branches.get(revision, revision)}
    if not is_large(path):
      headers |= {"ETag": f'"{git_sha1(content)}"', **self.hub.headers}
      self._send_content(content, headers)
      return
    sha256 = hashlib.sha256(content).hexdigest()
    self.hub.contents[sha256] = content
    headers |= {
      "ETag": f'"{sha256}"',
      "X-Linked-Etag": f'"{sha256}"',
      "X-Linked-Size": str(len(content)),
      "Location": f"{self.hub.store}/cdn/{sha256}",
      **self.hub.headers,
    }
    self._send(302, b"", headers)

  def _send_content(
    self, content: bytes, headers: Mapping[str, str] | None = None
  ) -> None:
    """Sends a file, or the part of it that is asked for."""
    headers, status, total = dict(headers or {}), 200, len(content)
    if self.hub.corrupted and total and self.command == "GET":
      middle = total // 2
      content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    if asked := self.headers.get("Range"):
      start = int(asked.removeprefix("bytes=").partition("-")[0])
      headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
      content, status = content[start:], 206
    cut = self.hub.cut.pop(0) if self.hub.cut and self.command == "GET" else None
    self._send(status, content, headers, cut=cut)

  def _create(self, asked: Mapping[str, str]) -> None:
    name = f"{asked['organization']}/{asked['name']}"
    if name in self.hub.repositories:
      known = {"error": "You already created this model repo"}
      self._send_json({**known, "url": f"{self.hub.url}/{name}"}, 409)
      return
    self.hub.repositories[name] = Repository()
    self.hub.add(name, {".gitattributes": b"*.safetensors filter=lfs\n"})
    self._send_json({"url": f"{self.hub.url}/{name}", "name": name})

  def _commit(self, name: str, revision: str, body: bytes) -> None:
    repository = self.hub.repositories[name]
    files = dict(repository.files(revision) or {})
    for line in body.splitlines():
      entry = json.loads(line)
      value = entry["value"]
      if entry["key"] == "file":
        files[value["path"]] = base64.b64decode(value["content"])
      elif entry["key"] == "lfsFile":
        files[value["path"]] = self.hub.contents[value["oid"]]
    commit = repository.commit(files, revision)
    url = f"{self.hub.url}/{name}/commit/{commit}"
    answer = {"success": True, "commitOid": commit, "commitUrl": url}
    self._send_json(self.hub.committed or answer)

  def _send_json(self, value: object, status: int = 200) -> None:
    content = json.dumps(value).encode()
    self._send(status, content, {"Content-Type": "application/json"})

  def _refuse(self, status: int, code: str, words: str) -> None:
    headers = {"X-Error-Message": words, **({"X-Error-Code": code} if code else {})}
    content = json.dumps({"error": words}).encode()
    self._send(status, content, {**headers, "Content-Type": "application/json"})

  def _send(
    self,
    status: int,
    content: bytes,
    headers: Mapping[str, str] | None = None,
    cut: int | None = None,
  ) -> None:
    self.send_response(status)
    for key, value in (headers or {}).items():
      self.send_header(key, value)
    self.send_header("Content-Length", str(len(content)))
    self.end_headers()
    if self.command == "HEAD":
      return
    self.wfile.write(content if cut is None else content[:cut])
    if cut is not None:
      self.wfile.flush()
      self.close_connection = True
