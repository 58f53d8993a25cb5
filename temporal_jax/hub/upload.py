"""Uploads a folder as a repository."""

import os
import pathlib

from temporal_jax.hub.address import parse_address
from temporal_jax.hub.client import (
  HubError,
  UnreachableError,
  import_client,
  naming,
  progress,
)


def upload(
  folder: str | os.PathLike, text: str, *, message: str, private: bool | None = None
) -> str:
  """Makes a repository of a folder, or adds the folder to one, in one commit.

  Args:
    folder: The folder; all its files are uploaded.
    text: hf://org/name, with @branch where it is not the main one.
    message: First line of the commit.
    private: Whether a new repository is private; None for the hub's default.

  Returns:
    The address with the hash of the commit.

  Raises:
    HubError: If the hub refuses, or cannot be reached.
    ImportError: If the extra "hub" is not installed.
    ValueError: If the address names a file, or see `parse_address`.
  """
  address = parse_address(text)
  if address.file:
    raise ValueError(f"{address} must be a repository, not a file in one.")
  import_client()
  from huggingface_hub import HfApi, constants

  api = HfApi()
  try:
    with naming(address), progress():
      api.create_repo(address.repository, private=private, exist_ok=True)
      commit = api.upload_folder(
        repo_id=address.repository,
        folder_path=pathlib.Path(folder),
        revision=address.revision or None,
        commit_message=message,
      )
  except UnreachableError as error:
    raise HubError(
      f"{address}: {constants.ENDPOINT} cannot be reached ({error})"
    ) from error
  return str(address._replace(revision=commit.oid))
