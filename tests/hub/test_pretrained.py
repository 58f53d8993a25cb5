"""Networks from a folder or the hub, to a folder or the hub."""

import json
import pathlib
import re
import subprocess
import sys

import jax
import numpy as np
import pytest
import safetensors.numpy

import temporal_jax
from temporal_jax import cli, hub, inference
from temporal_jax.saved_networks import bundled
from tests.support import exported_networks
from tests.support.tiny_huggingface_vit import SIZES, vit_classifier

# The client's own call of its HTTP library.
pytestmark = pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """Folder of a small network."""
  path = tmp_path_factory.mktemp("own") / "net"
  exported_networks.load(path, "resnet", license="CC-BY-4.0")
  return path


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
  """Files of a ViT as transformers saves it."""
  path = tmp_path_factory.mktemp("foreign") / "vit"
  vit_classifier().save_pretrained(path)
  return path


def _contents(folder):
  return {path.name: path.read_bytes() for path in folder.iterdir()}


def _same(found, wanted):
  jax.tree.map(np.testing.assert_array_equal, found.variables, wanted.variables)
  assert found.class_names == wanted.class_names
  assert found.clip_shape == wanted.clip_shape


def test_a_folder_can_be_read_without_this_library(folder, tmp_path):
  saved = temporal_jax.from_pretrained(folder)
  temporal_jax.save_pretrained(saved, tmp_path / "out")
  leaves = safetensors.numpy.load_file(tmp_path / "out" / "model.safetensors")
  np.testing.assert_array_equal(
    leaves["params/head/kernel"], saved.variables["params"]["head"]["kernel"]
  )
  assert len(leaves) == len(jax.tree.leaves(saved.variables))
  names = json.loads((tmp_path / "out" / "classes.json").read_text())
  assert tuple(names) == saved.class_names
  assert {*_contents(tmp_path / "out")} == {
    *("README.md", "card.json", "classes.json"),
    *("model.json", "model.safetensors", "sha256sums.txt"),
  }
  _same(temporal_jax.from_pretrained(tmp_path / "out"), saved)


def test_changed_values_are_saved(folder, tmp_path):
  saved = temporal_jax.from_pretrained(folder)
  changed = saved._replace(variables=jax.tree.map(lambda x: x + 1, saved.variables))
  temporal_jax.save_pretrained(changed, tmp_path / "out")
  _same(temporal_jax.from_pretrained(tmp_path / "out"), changed)


def test_changed_facts_are_saved(folder, tmp_path):
  saved = temporal_jax.from_pretrained(folder)
  names = tuple(f"{name} again" for name in saved.class_names)
  pixels = {"mean": (0.1, 0.2, 0.3), "std": (1.0, 1.0, 1.0)}
  changed = saved._replace(class_names=names, pixels=pixels)
  temporal_jax.save_pretrained(changed, tmp_path / "out")
  found = temporal_jax.from_pretrained(tmp_path / "out")
  assert found.class_names == names
  assert [*found.pixels["mean"]] == [0.1, 0.2, 0.3]
  with pytest.raises(ValueError, match="must name the 3 classes"):
    temporal_jax.save_pretrained(saved._replace(class_names=("a",)), tmp_path / "no")
  assert not (tmp_path / "no").exists()


def test_the_licence_is_on_the_card(folder, tmp_path):
  temporal_jax.save_pretrained(folder, tmp_path / "own")
  assert '\nlicense: "cc-by-4.0"\n' in (tmp_path / "own" / "README.md").read_text()
  temporal_jax.save_pretrained(folder, tmp_path / "other", license="My Own")
  page = (tmp_path / "other" / "README.md").read_text()
  assert '\nlicense: "other"\nlicense_name: "My Own"\n' in page
  assert inference.load_model(tmp_path / "other").description["license"] == "My Own"


def test_from_the_hub(server, folder):
  commit = server.add("org/net", _contents(folder))
  wanted = temporal_jax.from_pretrained(folder)
  for revision in ("", "@main", f"@{commit}"):
    _same(temporal_jax.from_pretrained(f"hf://org/net{revision}"), wanted)
  assert temporal_jax.from_pretrained("camera_motion").name == "resnet18"


def test_to_the_hub_and_back(server, folder):
  address = temporal_jax.push_to_hub(folder, "hf://me/net")
  assert re.fullmatch(r"hf://me/net@[0-9a-f]{40}", address)
  _same(temporal_jax.from_pretrained(address), temporal_jax.from_pretrained(folder))
  page = server.cards[0]
  assert page.startswith('---\nlibrary_name: "temporal_jax"\n')
  assert "\n# net\n" in page
  # A second one, of what came from the hub.
  again = temporal_jax.push_to_hub("hf://me/net", "hf://me/other", license="mit")
  assert temporal_jax.from_pretrained(again).description["license"] == "mit"


def test_weights_without_a_licence_are_not_uploaded(server, tmp_path):
  exported_networks.load(tmp_path / "net", "resnet")
  with pytest.raises(ValueError, match=r'no licence.* give license=.*"apache-2\.0"'):
    temporal_jax.push_to_hub(tmp_path / "net", "hf://me/net")
  assert "me/net" not in server.repositories


def test_commands_take_an_address(server, folder, capsys):
  server.add("org/net", _contents(folder))
  assert cli.main(["describe", "hf://org/net"]) == 0
  assert "resnet18" in capsys.readouterr().out
  assert cli.main(["describe", "hf://org/nowhere"]) == 2
  error = capsys.readouterr().err
  assert error.startswith("temporal-jax describe: hf://org/nowhere: there is no such")
  assert len(error.splitlines()) == 1


def test_weights_of_another_library_need_a_network(server, foreign):
  server.add("org/vit", _contents(foreign))
  words = r"convert_weights NAME hf://org/vit OUT"
  with pytest.raises(ValueError, match=words):
    temporal_jax.from_pretrained("hf://org/vit")
  with pytest.raises(ValueError, match="only with model=NAME"):
    temporal_jax.from_pretrained("hf://org/vit", patch_size=4)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["hub", "folder"])
def test_weights_of_another_library_are_converted(server, foreign, where):
  commit = server.add("org/vit", _contents(foreign))
  source = "hf://org/vit" if where == "hub" else foreign
  sizes = {**SIZES, "image_size": 16}
  del sizes["grid"]
  saved = temporal_jax.from_pretrained(source, model="vit_b16_in21k", **sizes)
  tensors = safetensors.numpy.load_file(foreign / "model.safetensors")
  head = saved.variables["params"]["head"]["kernel"]
  np.testing.assert_array_equal(head, tensors["classifier.weight"].T)
  origin = saved.description["source"]
  assert origin["name"] == "huggingface_vit"
  assert origin.get("address") == (f"hf://org/vit@{commit}" if where == "hub" else None)


@pytest.mark.slow
def test_weights_that_do_not_fit_are_named(server, foreign):
  server.add("org/vit", _contents(foreign))
  with pytest.raises(ValueError, match=r"hf://org/vit@\w{40}: .*do not fit"):
    temporal_jax.from_pretrained("hf://org/vit", model="vit_b16_in21k")
  with pytest.raises(ValueError, match="unknown model 'vit_b61'"):
    temporal_jax.from_pretrained("hf://org/vit", model="vit_b61")


def test_a_network_of_this_library_is_not_converted(server, folder):
  server.add("org/net", _contents(folder))
  for source in ("hf://org/net", folder):
    with pytest.raises(ValueError, match="leave out model='resnet18'"):
      temporal_jax.from_pretrained(source, model="resnet18")


def test_the_client_brings_no_other_framework():
  code = (
    "import sys; from temporal_jax import hub; hub.client.import_client();"
    "from huggingface_hub import HfApi, hf_hub_download, snapshot_download;"
    "assert not {'torch', 'tensorflow', 'jax'} & sys.modules.keys()"
  )
  subprocess.run([sys.executable, "-c", code], check=True)


def test_an_address_of_a_damaged_network(server, folder):
  files = _contents(folder)
  content = bytearray(files["model.safetensors"])
  content[-1] ^= 1
  server.add("org/net", {**files, "model.safetensors": bytes(content)})
  with pytest.raises(ValueError, match=r"model\.safetensors is changed since"):
    temporal_jax.from_pretrained("hf://org/net")
  assert hub.fetch("hf://org/net").is_own


def test_an_address_of_a_network_of_an_older_version(server):
  old = bundled.find("camera_motion")
  files = {
    path.relative_to(old).as_posix(): path.read_bytes()
    for path in old.rglob("*")
    if path.is_file()
  }
  assert "variables/manifest.ocdbt" in files
  server.add("org/old", files)
  _same(
    temporal_jax.from_pretrained("hf://org/old"),
    temporal_jax.from_pretrained("camera_motion"),
  )


@pytest.mark.parametrize("place", ["hf://me/net", pathlib.Path("hf://me/net")])
def test_an_address_is_no_folder_to_write(folder, tmp_path, monkeypatch, place):
  monkeypatch.chdir(tmp_path)
  with pytest.raises(ValueError, match=r"this machine: temporal_jax\.push_to_hub"):
    temporal_jax.save_pretrained(folder, place)
  assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_variables_that_are_no_numbers_are_not_saved(folder, tmp_path, value):
  saved = temporal_jax.from_pretrained(folder)
  kernel = saved.variables["params"]["head"]["kernel"].at[0, 0].set(value)
  head = {**saved.variables["params"]["head"], "kernel": kernel}
  params = {**saved.variables["params"], "head": head}
  broken = saved._replace(variables={**saved.variables, "params": params})
  with pytest.raises(ValueError, match="the network: params/head/kernel must hold"):
    temporal_jax.save_pretrained(broken, tmp_path / "out")
  assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_halves_are_saved_as_they_are(folder, tmp_path, dtype):
  saved = temporal_jax.from_pretrained(folder)
  halves = jax.tree.map(lambda x: x.astype(dtype), saved.variables)
  halves = saved._replace(variables=halves)
  temporal_jax.save_pretrained(halves, tmp_path / "out")
  found = temporal_jax.from_pretrained(tmp_path / "out")
  assert {str(x.dtype) for x in jax.tree.leaves(found.variables)} == {dtype}
  _same(found, halves)
  sizes = [(p / "model.safetensors").stat().st_size for p in (folder, tmp_path / "out")]
  assert sizes[1] < 0.6 * sizes[0]


@pytest.mark.parametrize("dtype", ["zzz", "float8_e4m3fn", "int32", 3])
def test_other_dtypes_of_activations_are_refused(folder, dtype):
  with pytest.raises(ValueError, match="dtype must be one of"):
    temporal_jax.from_pretrained(folder, dtype=dtype)


def test_a_list_that_lacks_the_weights_is_refused(server, folder):
  files = _contents(folder)
  for listed in (f"{'0' * 64}  README.md\n", f"{'0' * 64}  other.safetensors\n"):
    server.add("org/net", {**files, "sha256sums.txt": listed.encode()})
    with pytest.raises(ValueError, match=r"sha256sums\.txt must list model\.safet"):
      temporal_jax.from_pretrained("hf://org/net")


@pytest.mark.parametrize("dtype", ["zzz", "F8_E4M3", "I32", "F64X"])
def test_other_dtypes_of_weights_are_refused(server, folder, dtype):
  content = _contents(folder)["model.safetensors"]
  length = int.from_bytes(content[:8], "little")
  header = json.loads(content[8 : 8 + length])
  header["params/head/bias"]["dtype"] = dtype
  changed = json.dumps(header).encode()
  files = {
    "model.json": _contents(folder)["model.json"],
    "model.safetensors": len(changed).to_bytes(8, "little")
    + changed
    + content[8 + length :],
  }
  server.add("org/net", files)
  with pytest.raises(
    ValueError, match=r"model\.safetensors|params/head/bias"
  ) as caught:
    temporal_jax.from_pretrained("hf://org/net")
  assert "\n" not in str(caught.value)
