"""Words of CONTRIBUTING's list that can be counted, in code and pages."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = ("temporal_jax", "convert_weights", "benchmarks", "configs", "examples")
# A file by its path; temporal_jax/configs is a link.
FILES = {
  f"{path.relative_to(ROOT)}": path.read_text()
  for path in (
    *(p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*.py"))),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
  )
  if "temporal_jax/configs" not in f"{path}"
}

# A space in a pattern is also the end of a line, in a docstring, in a comment
# or between two parts of a string.
_GAP = r"(?: |[ \t]*\"?\n[ \t]*(?:# |[fr]?\")?)"

AVOIDED = {
  "x: Of the run. (write: x: The run's x.)": r"^\s+[*\w]+(?:, [*\w]+)*: Of ",
  "as of `f` (write: see `f`)": r"\b[Aa]s of (?:`|an? |the )",
  "but for (write: except)": r"\bbut for\b",
  "one a line (write: one per line)": (
    r"\b(?:[Oo]ne|row|line|a name|group) an? "
    r"(?:channel|frame|group|line|network|operation|operator|video)\b"
  ),
  "frames a second (write: frames per second)": (
    r"(?i)\b(?:frames|clips|pairs|videos|bytes|steps|seconds|classes|labels|tokens"
    r"|pixels|values) an? "
    r"(?:second|step|batch|channel|clip|video|frame|class|inch|token)\b(?! time)"
  ),
  "tells, told (write: shows, lists, matched)": r"\btells\b|\b(?:is|are|be|was) told\b",
  "alone (write: only)": r"\balone\b",
  "beside, besides (write: next to, as well as)": r"\bbesides?\b",
  "behind (write: after)": r"\bbehind\b",
  # A symbol stands for a word.
  "lies, stands (write: is)": (
    r"\b(?:lie|lies|lay)\b|\bstands?\b(?! for\b)|\bstands? in\b"
  ),
  "x: Which classes it has (write: x: Names of the classes)": (
    r"^\s+[*\w]+(?:, [*\w]+)*: (?:What|Which|How|Where|Who|When)\b"
  ),
  "Returns what f does (write: Returns the result of f)": (
    r"\bReturns (?:what|which|how|where|who|when|why)\b"
  ),
  '# What f returns; """How x is made (write: Result of f; Way of making x)': (
    r"(?:\"\"\"|(?<!#)# )(?:What|Which|How|Where|Who|When|Why) (?!to )"
  ),
  "says (write: lists, shows, states, reports)": r"\b[Ss]ays\b(?!:)",
  "a dict of those of (write: a dict with one entry per)": (
    r"\bdict (?:of|with) (?:those|that) of\b"
  ),
  '"""Of the run, # Of the run (write: The run\'s x)': r"(?:\"\"\"|(?<!#)# )Of ",
  'help="of the run" (write: help="x of the run")': (
    r"\bhelp=f?\"(?:for|from|in|may|of|that|to)\b"
  ),
  "that of `x` by default (write: by default the dtype of `x`)": (
    r"\b(?:that|those) of `x` by default"
  ),
}


def _compile(pattern):
  return re.compile(pattern.replace(" ", _GAP), re.MULTILINE)


@pytest.mark.parametrize("words", AVOIDED)
def test_words_are_avoided(words):
  pattern = _compile(AVOIDED[words])
  found = [
    f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0].strip()}"
    for name, text in FILES.items()
    for match in pattern.finditer(text)
    # Rows of papers keep their words.
    if name != "docs/recipes.md"
  ]
  assert not found


def test_modules_begin_with_a_noun_or_a_verb():
  """Their first line is a noun or a verb, not a clause without a sentence."""
  found = [
    name
    for name, text in FILES.items()
    if re.match(r'"""(?:What|Which|How|Where|Whether|When|That|Who|Of) ', text)
  ]
  assert not found


def test_the_patterns_find_what_they_are_for():
  examples = (
    "    optimizer: Of the parameters.",
    "rules: As of `plan`.",
    "all but for one",
    "names, one a line",
    "12 clips a second",
    "the name tells its kind",
    "the label alone",
    "a card beside the weights",
    "behind the last norm",
    "a norm stands before it",
    "    crop, *rest: Which part of a film a sequence is.",
    '  """Returns what the network needs.',
    "  # What the file has.",
    "the card says it",
    "or a dict of those of each task",
    '"""Of the three accuracies."""',
    'help="of a clip"',
    "dtype: That of the output, that of `x` by default.",
  )
  for pattern, example in zip(AVOIDED.values(), examples, strict=True):
    assert _compile(pattern).search(example)


@pytest.mark.parametrize(
  "text",
  [
    "  of the same size but\n  for a column",
    "  # of the same size but\n  # for a column",
    '    "of the same size but "\n    f"for a column"',
  ],
)
def test_wrapped_lines_are_joined(text):
  pattern = _compile(AVOIDED["but for (write: except)"])
  assert pattern.search(text)
  assert not pattern.search(text.replace("\n", "\n\n"))
