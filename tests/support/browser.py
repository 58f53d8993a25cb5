"""A browser without a window, driven by its WebDriver."""

import base64
import contextlib
import json
import shutil
import subprocess
import time
import urllib.request

PROGRAMS = ("chromium", "chromedriver")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_ARGUMENTS = (
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-sync",
  "--disable-component-update",
  "--disable-dev-shm-usage",
  "--hide-scrollbars",
)
_PATIENCE = 20.0  # Seconds.


class Browser:
  """A page in a browser."""

  def __init__(self, session: str):
    self._session = session

  def open(self, url):
    """Opens a page; messages about the one before are forgotten."""
    self.complaints()
    self._call("/url", {"url": url})

  def resize(self, width, height):
    """Gives the page a size, also one that is too small for a window."""
    size = {"width": width, "height": height}
    more = {"deviceScaleFactor": 1, "mobile": False}
    self._command("Emulation.setDeviceMetricsOverride", {**size, **more})

  def download_to(self, folder):
    """Has files be downloaded to a folder."""
    options = {"behavior": "allow", "downloadPath": str(folder)}
    self._command("Browser.setDownloadBehavior", options)

  def run(self, script, *values):
    """Returns the result of a script, its values being `arguments`."""
    return self._call("/execute/sync", {"script": script, "args": values})

  def choose(self, selector, path):
    """Has an element choose a file."""
    found = {"using": "css selector", "value": selector}
    element = self._call("/element", found)[_ELEMENT]
    self._call(f"/element/{element}/value", {"text": str(path)})

  def press(self, *keys):
    """Presses keys, one after the other."""
    actions = [
      {"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")
    ]
    keyboard = {"type": "key", "id": "keyboard", "actions": actions}
    self._call("/actions", {"actions": [keyboard]})

  def wait(self, condition, *, seconds=_PATIENCE):
    """Returns the value of an expression once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := self.run(f"return {condition}")):
      assert time.monotonic() < deadline, condition
      time.sleep(0.05)
    return value

  def complaints(self):
    """Returns the messages of this page on the browser's console."""
    return [entry["message"] for entry in self._call("/se/log", _LOG)]

  def picture(self):
    """Returns a PNG of the window."""
    return base64.b64decode(self._call("/screenshot"))

  def connect(self, connected):
    """Has requests reach a server, or none."""
    rates = {"latency": 0, "throughput": -1}
    conditions = {"offline": not connected, **rates}
    self._call("/chromium/network_conditions", {"network_conditions": conditions})

  def _command(self, name, values):
    content = {"cmd": name, "params": values}
    self._call("/goog/cdp/execute", content)

  def _call(self, path, content=None):
    return _call(self._session + path, content)


@contextlib.contextmanager
def browsing(folder, *, dark=False):
  """Yields a browser that keeps its own things in an empty folder."""
  with subprocess.Popen(
    [shutil.which("chromedriver"), "--port=0"],
    stdout=subprocess.PIPE,
    text=True,
  ) as driver:
    try:
      line = next(line for line in driver.stdout if "successfully on port" in line)
      port = int(line.rsplit("port", 1)[1].strip(" .\n"))
      arguments = [*_ARGUMENTS, f"--user-data-dir={folder}"]
      options = {"binary": shutil.which("chromium"), "args": arguments}
      if dark:
        arguments.append("--blink-settings=preferredColorScheme=0")
      wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": _LEVELS}
      sessions = f"http://127.0.0.1:{port}/session"
      session = _call(sessions, {"capabilities": {"alwaysMatch": wanted}})
      address = f"{sessions}/{session['sessionId']}"
      try:
        yield Browser(address)
      finally:
        _call(address, method="DELETE")
    finally:
      driver.terminate()


def _call(url, content=None, method=None):
  body = None if content is None else json.dumps(content).encode()
  request = urllib.request.Request(url, body, method=method)
  with urllib.request.urlopen(request, timeout=60) as answer:
    return json.load(answer)["value"]


_LOG = {"type": "browser"}
_LEVELS = {"browser": "ALL"}
