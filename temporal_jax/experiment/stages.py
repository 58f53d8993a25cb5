"""Runs that follow each other, each from the weights of the one before."""

import ml_collections


def stages(
  config: ml_collections.ConfigDict,
) -> list[ml_collections.ConfigDict]:
  """Returns the configs of the stages; the config itself if there are none.

  Raises:
    ValueError: If a stage changes a field that there is not, or to a value of
      another type.
  """
  runs = []
  for number, changes in enumerate(config.stages or ({},), start=1):
    run = config.copy_and_resolve_references()
    try:
      run.update_from_flattened_dict(dict(changes))
    except (AttributeError, KeyError, TypeError) as error:
      raise ValueError(f"stage {number}: {error.args[0]}") from None
    run.stages = ()
    runs.append(run)
  return runs
