"""Messages that a command prints instead of a traceback."""

from temporal_jax.display import error_message


def _message(error):
  return error_message(
    "program", error, expected=(OSError, ValueError), option="--more"
  )


def test_an_expected_error_is_what_it_says():
  assert _message(ValueError("too large\x1b.")) == ("program: too large\\u001b.")


def test_an_error_of_the_system_names_its_files():
  error = OSError(28, "No space left on device", "a.txt")
  assert _message(error) == "program: a.txt: No space left on device."
  error = OSError(18, "Invalid cross-device link", "a", None, "b")
  assert _message(error) == "program: a -> b: Invalid cross-device link."
  assert _message(OSError("own words.")) == "program: own words."


def test_another_error_says_its_kind_and_how_to_see_more():
  assert _message(KeyError("x")) == (
    "program: KeyError: 'x'\nThis program does not expect a KeyError here: it "
    "may be at fault. --more shows where it comes from."
  )
