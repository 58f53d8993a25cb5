"""train.py --plan and --draw."""

import matplotlib.image


def test_plan_tells_bytes_and_collectives(run, tmp_path):
  flags = ("data.num_classes=(3,)", "mesh.fsdp=2")
  status, out, err = run(
    tmp_path / "unused", *flags, more=("--plan", "--plan_devices=4")
  )
  assert status == 0, err
  assert err == "compiling the training step ...\n"
  assert "4 x cpu: data 2, fsdp 2, tensor 1" in out
  for word in ("weight decay", "parameters", "temporaries", "all-reduce"):
    assert word in out
  assert not (tmp_path / "unused").exists()


def test_plan_needs_the_classes(run, tmp_path):
  status, _, err = run(tmp_path, more=("--plan", "--plan_devices=4"))
  assert status != 0
  assert "data.num_classes must be one number" in err.splitlines()[-1]


def test_draws_training_clips(run, video_folder, tmp_path):
  file = tmp_path / "clips.png"
  flags = (f"data.root={video_folder}", "data.augment=flip|grayscale(1.0)")
  status, _, err = run(tmp_path / "unused", *flags, more=(f"--draw={file}",))
  assert status == 0, err
  image = matplotlib.image.imread(file)[..., :3]
  gray = image.max(-1) - image.min(-1) < 0.01
  assert gray.mean() > 0.99
  assert image.std() > 0.05
  assert not (tmp_path / "unused").exists()


def test_a_place_that_takes_no_drawing_is_refused_before_any_work(run, tmp_path):
  file = tmp_path / "no" / "clips.png"
  status, _, err = run(
    tmp_path / "unused", "data.root=/nowhere", more=(f"--draw={file}",)
  )
  assert status == 1
  assert err.splitlines()[-1] == f"train.py: {file.parent} is no folder to write to."
  assert list(tmp_path.iterdir()) == []
