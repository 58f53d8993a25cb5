"""Atomic files and folders, their checks, digests, locks; copies of buckets."""

from temporal_jax.storage.atomic import (
  sync as sync,
  sync_all as sync_all,
  whole_file as whole_file,
  whole_folder as whole_folder,
  write_lines as write_lines,
  write_text as write_text,
)
from temporal_jax.storage.bucket_addresses import (
  is_in_bucket as is_in_bucket,
  refuse_bucket as refuse_bucket,
)
from temporal_jax.storage.buckets import (
  fetch_file as fetch_file,
  fetch_folder as fetch_folder,
)
from temporal_jax.storage.digests import (
  DIGESTS as DIGESTS,
  check_digests as check_digests,
  damaged_files as damaged_files,
  read_digests as read_digests,
  write_digests as write_digests,
)
from temporal_jax.storage.json_lines import (
  append_json_line as append_json_line,
  read_json_lines as read_json_lines,
)
from temporal_jax.storage.lock import (
  LOCK as LOCK,
  FolderInUseError as FolderInUseError,
  FolderLock as FolderLock,
)
from temporal_jax.storage.outputs import check_outputs as check_outputs
from temporal_jax.storage.user_caches import user_caches as user_caches
