import pytest

from temporal_jax import data
from temporal_jax.data.augmentation import recipe as recipes
from temporal_jax.data.augmentation.color import ColorJitter, Grayscale
from temporal_jax.data.augmentation.crops import RandomSizedCrop
from temporal_jax.data.augmentation.erasing import RandomErasing
from temporal_jax.data.augmentation.flip import Flip
from temporal_jax.data.augmentation.normalize import Normalize
from temporal_jax.data.augmentation.rand_augment import RandAugment

# The pipelines of the papers, RECIPES.md 2.1, by family.
SIZED = "random_sized_crop(swap=0.5, log_aspect=False, fallback='random')"
JITTER = "color_jitter(0.4, 0.4, 0.2, 0.1, probability=0.8, per_frame=True)"
PUBLISHED = {
  "atm vit ss": (
    f"rand_augment('rand-m7-n4-mstd0.5-inc1', fill=128)|resize(256, 320)|{SIZED}|flip"
  ),
  "atm vit k400": f"short_side_jitter(256, 256)|{SIZED}|flip|grayscale(0.2)",
  "atm resnet, blvnet": "multi_scale_crop(positions=13)|flip",
  "ila": (
    "short_side_jitter(256, 256)|multi_scale_crop(antialias=False)|flip|"
    f"{JITTER}|grayscale(0.2)|normalize|random_erasing(0.25)"
  ),
  "xvit k400": "auto_augment|multi_scale_crop(positions=13)|normalize|flip",
  "xvit ss": (
    "auto_augment|normalize|short_side_jitter(256, 320)|"
    "random_crop(antialias=False)|random_erasing(0.5)"
  ),
  "tada2d": ("flip|short_side_jitter(224, 340, 'down')|random_crop(antialias=False)"),
  "tadaformer": (
    "flip|random_sized_crop((0.08, 1), (0.75, 1.333), antialias=False)|"
    "rand_augment('rand-m9-n4-mstd0.5-inc1', fill=(123, 117, 104))|"
    "grayscale(0.2)"
  ),
  "tada ss": "flip(keep_labels=True)|random_sized_crop|flip",
}


@pytest.mark.parametrize("recipe", PUBLISHED.values(), ids=PUBLISHED)
def test_published_pipelines_can_be_said(recipe):
  names = [part.split("(")[0] for part in recipe.split("|")]
  if "normalize" not in names:
    names.append("normalize")
  got = [type(operation) for operation in recipes.parse(recipe)]
  assert got == [recipes.OPERATIONS[name] for name in names]


def test_a_recipe_is_read_in_order():
  got = recipes.parse(
    "rand_augment('rand-m7-n4-mstd0.5-inc1', fill=(1, 2, 3)) | "
    "random_sized_crop((0.1, 1.0), swap=0.5)|flip|grayscale(0.1)|normalize|"
    "random_erasing(0.25)"
  )
  assert got == (
    RandAugment("rand-m7-n4-mstd0.5-inc1", fill=(1, 2, 3)),
    RandomSizedCrop((0.1, 1.0), swap=0.5),
    Flip(),
    Grayscale(0.1),
    Normalize(),
    RandomErasing(0.25),
  )


@pytest.mark.parametrize(
  ("recipe", "want"),
  [
    ("", (Normalize(),)),
    (" ", (Normalize(),)),
    ("flip", (Flip(), Normalize())),
    ("random_erasing", (Normalize(), RandomErasing())),
    ("flip()|random_erasing", (Flip(), Normalize(), RandomErasing())),
    ("normalize|flip", (Normalize(), Flip())),
    ("color_jitter(hue=0.1)", (ColorJitter(hue=0.1), Normalize())),
  ],
)
def test_normalize_comes_where_it_must(recipe, want):
  assert recipes.parse(recipe) == want


@pytest.mark.parametrize(
  ("recipe", "message"),
  [
    ("flop", "unknown operation 'flop'.*did you mean 'flip'"),
    ("flop", "(?s)Known: .*color_jitter.*random_sized_crop\\(area="),
    ("flip|", "cannot be read"),
    ("flip||normalize", "cannot be read"),
    ("flip & grayscale", "'flip & grayscale' is no operation"),
    ("a.flip", "'a.flip' is no operation"),
    ("flip(speed=2)", "unexpected keyword argument 'speed'; it is flip\\(prob"),
    ("flip(0.5, True, 3)", "too many positional arguments"),
    ("rand_augment", "missing a required argument: 'spec'"),
    ("flip(__import__('os'))", "must be numbers, strings, tuples"),
    ("flip(1 < 2)", "must be numbers, strings, tuples"),
    ("grayscale(2)", "operation 'grayscale\\(2\\)': probability"),
    ("grayscale('much')", "probability must be a number"),
    ("normalize|grayscale", "grayscale must come before normalize"),
    ("normalize|auto_augment", "auto_augment must come before normalize"),
    ("random_erasing|normalize", "random_erasing must come after normalize"),
    ("normalize|flip|normalize", "normalizes twice"),
    ("random_crop|short_side_jitter(8, 9)", "crop or resize must come after"),
    ("rand_augment('rand-m7')", "rand-m7-n4-mstd0.5-inc1.*got 'rand-m7'"),
    ("rand_augment('rand-m7-n4-w0')", "got 'rand-m7-n4-w0'"),
    ("rand_augment('rand-m11-n4')", "m of rand_augment"),
    ("rand_augment('rand-m7-n0')", "n of rand_augment"),
    ("rand_augment('rand-m7-n2', method='nearest')", "method must be one of"),
    ("rand_augment('rand-m7-n2', fill=300)", "fill must be"),
    ("auto_augment(fill='gray')", "fill must be"),
    ("auto_augment(method='any')", "method must be one of"),
  ],
)
def test_wrong_recipes_are_refused(recipe, message):
  with pytest.raises(ValueError, match=message):
    recipes.parse(recipe)


@pytest.mark.parametrize(
  "name",
  ["color_jitter(0.3)", "grayscale", "auto_augment", "rand_augment('rand-m9-n2')"],
)
def test_colours_of_flow_are_refused(name):
  pixels = {"mean": (0.5,), "std": (0.226,), "image_size": 8}
  kind = name.partition("(")[0]
  with pytest.raises(ValueError, match=f"colours, by {kind}; .* 10 channels"):
    data.Augmentation(f"{name}|flip", **pixels, channels=10)
  data.Augmentation("multi_scale_crop|flip|random_erasing", **pixels, channels=10)


@pytest.mark.parametrize(("channels", "count"), [(10, 3), (3, 1), (10, 2)])
def test_statistics_have_as_many_numbers_as_channels(channels, count):
  pixels = {"mean": (0.5,) * count, "std": (0.5,) * count}
  with pytest.raises(ValueError, match=f"numbers for {channels} channels"):
    data.Augmentation("", **pixels, image_size=8, channels=channels)
