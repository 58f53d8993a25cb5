"""Escapes names that may hold any character, to show them safely."""

import hashlib
import json
import re

# Not printable for Python, but harmless: joiners of letters, wide spaces.
_HARMLESS = frozenset("\u00a0\u200c\u200d\u3000")
# Characters that file systems or shells take for something else.
_UNSAFE = re.compile(r'[/\\:*?"<>|%]')
_LONGEST_FILE = 120  # Bytes; file systems take 255 with the name's other parts.


def printable(text: str) -> str:
  r"""Returns a name that cannot disturb a terminal or a line of text.

  Control characters, line breaks, marks that turn the direction of writing and
  bytes that are no UTF-8 (surrogates, as Python reads file names) become
  escapes as in JSON: \n, \u001b, \udcff. All other letters stay.
  """
  if text.isprintable():
    return text
  return "".join(
    letter if letter.isprintable() or letter in _HARMLESS else json.dumps(letter)[1:-1]
    for letter in text
  )


def printable_lines(text: str) -> str:
  """Returns text of several lines, each of them `printable`."""
  return "\n".join(map(printable, text.split("\n")))


def escaped(text: str) -> str:
  r"""Returns `printable` text that `original` turns back: \ becomes \\."""
  return printable(text.replace("\\", "\\\\"))


def original(text: str) -> str:
  """Returns the name that `escaped` was given.

  Raises:
    ValueError: If a backslash begins no escape of JSON.
  """
  return json.loads('"' + text.replace('"', '\\"') + '"')


def shortened(text: str, longest: int = 40) -> str:
  """Returns a `printable` name in one line of at most `longest` letters.

  Of a longer one the beginning and the end stay, since names often differ
  there.

  Args:
    text: The name.
    longest: Letters, at least 3.
  """
  # Long texts are cut first: only the ends are shown.
  ends = text if len(text) <= 4 * longest else _cut(text, 4 * longest)
  return _cut(printable(" ".join(ends.split())), longest)


def file_name(text: str) -> str:
  """Returns a name that can be part of a file's name; others give others.

  What is no letter for a file system becomes %XX, and a long name ends in a
  digest.
  """
  name = _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", printable(text))
  if len(name.encode()) <= _LONGEST_FILE:
    return name
  digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
  begin = name.encode()[: _LONGEST_FILE - 13].decode(errors="ignore")
  return f"{begin}-{digest}"


def _cut(text: str, longest: int) -> str:
  if len(text) <= longest:
    return text
  end = (longest - 1) // 3
  return f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"
