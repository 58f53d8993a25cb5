import json

import pytest


@pytest.fixture
def write(tmp_path):
  def write_(name, content):
    file = tmp_path / name
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text)
    return file

  return write_
