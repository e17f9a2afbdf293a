"""A training run as a TOML file (training/recipes), checked as it is read."""

import dataclasses
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path

from .augment import Augmentation
from .stream import BlockShape


# The encoder is trained with its CTC head; "edges" are its edge kernels alone, which leave full context as it is.
TRAINS = ("encoder", "edges", "decoder", "joint")


class RecipeError(Exception):
    """What is wrong with a recipe: file, field, what was expected and found."""


@dataclass(frozen=True)
class Blocks:
    """Block sizes of steps, each drawn with a probability in proportion to its weight."""

    new_frames: int  # C; 0 for full context
    look_ahead: int = 0  # R
    left: tuple[int, ...] = (64,)  # L, one of them drawn
    weight: float = 1.0

    def __post_init__(self):
        if self.new_frames < 0 or self.look_ahead < 0 or self.weight <= 0 or not self.left or min(self.left) < 0:
            raise ValueError("expected new_frames, look_ahead and left ≥ 0, weight > 0")

    def shape(self, left: int) -> BlockShape | None:
        return BlockShape(self.new_frames, self.look_ahead, left) if self.new_frames else None


@dataclass(frozen=True)
class Losses:
    """Weights of the parts of the loss."""

    distillation: float = 1.0
    layers: float = 0.0
    at_layers: tuple[int, ...] = ()
    ctc: float = 0.0
    full_ctc: float | None = None  # instead of `ctc` in full context, which may have nothing to learn
    reach: int = 0  # frames that a block's output may be early or late; see losses.distillation
    # Of the attention decoder: cross entropy, its label smoothing, the share of the right-to-left one
    # and of each direction's auxiliary heads (DeCRED), and the guide of the cross-attention.
    attention: float = 0.0
    smoothing: float = 0.1
    reverse: float = 0.4
    auxiliary: float = 0.3
    guide: float = 0.0
    # Of an intermediate CTC, of the distance of the gates' openness to what is wanted, and of a language
    # model's probabilities as the left-to-right decoder's target.
    intermediate: float = 0.0
    gates: float = 0.0
    language: float = 0.0


@dataclass(frozen=True)
class VariantSettings:
    """See variants.py."""

    intermediate: tuple[int, ...] = ()  # layers
    feeds_back: bool = False
    gates: bool = False
    openness: float = 0.8  # the share of modules to be computed


@dataclass(frozen=True)
class NewDecoder:
    """A decoder to start from random weights, instead of the model's."""

    left_layers: int = 3
    right_layers: int = 2
    auxiliary_heads: tuple[int, ...] = ()
    position_width: int = 0


@dataclass(frozen=True)
class Schedule:
    """Steps: rising to `rate` over `warmup_steps`, level, then falling to nothing over the last
    `decay_hours`. Hours are of audio heard, by all processes together."""

    hours: float
    rate: float = 5e-4
    warmup_steps: int = 100
    decay_hours: float = 0.0
    batch_seconds: float = 50.0
    clip: float = 1.0
    weight_decay: float = 1e-3
    edge_rate: float = 5.0  # times `rate`, for edge kernels: they begin with zeros
    average: float = 0.999  # of the moving average of weights

    def rate_at(self, step: int, hours: float) -> float:
        rising = min(1.0, (step + 1) / max(self.warmup_steps, 1))
        falling = min(1.0, (self.hours - hours) / self.decay_hours) if self.decay_hours else 1.0
        return self.rate * rising * max(falling, 0.0)


@dataclass(frozen=True)
class Validation:
    """Greedy word error rate on some utterances, every so many audio-hours: of a corpus, or of those
    that `hold_out` keeps from the training."""

    corpus: str = ""
    utterances: int = 40
    every_hours: float = 10.0


@dataclass(frozen=True)
class Recipe:
    corpora: tuple[str, ...]
    model: str  # folder to start from
    schedule: Schedule
    blocks: tuple[Blocks, ...]
    teacher: str = ""  # folder; empty for none
    edge_taps: int = 0
    trains: str = "encoder"  # or another of TRAINS
    frozen: tuple[str, ...] = ()  # beginnings of names of tensors that stay as they are
    decoder: NewDecoder | None = None
    position_width: int = 0  # given to a model's decoder that has none
    variants: VariantSettings | None = None
    language_model: str = ""  # folder, for losses.language
    dropout: float = 0.0  # of the decoder
    encoder_dropout: float = 0.0
    losses: Losses = Losses()
    augmentation: Augmentation | None = None
    speeds: tuple[float, ...] = (1.0,)
    splice: float = 0.0  # the share of utterances that give way to pieces of others (batches.py)
    hold_out: float = 0.0  # the share of utterances that are not trained on
    validation: Validation = Validation()
    seed: int = 1
    bfloat16: bool = True
    threads: int = 0
    checkpoint_minutes: float = 10.0
    base: Path = field(default=Path("."), compare=False)

    @staticmethod
    def load(path: Path) -> "Recipe":
        """Folders in a recipe are relative to the recipe's own."""
        try:
            fields = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RecipeError(f"{path}: {error}") from error
        recipe = dataclasses.replace(_build(Recipe, fields, f"{path}"), base=path.parent)
        if recipe.trains not in TRAINS:
            raise RecipeError(f"{path}: 'trains' is {recipe.trains!r}, expected one of {', '.join(TRAINS)}")
        if (recipe.trains in ("decoder", "joint")) != (recipe.losses.attention > 0):
            raise RecipeError(f"{path}: 'losses.attention' is {recipe.losses.attention} with 'trains' {recipe.trains!r}")
        if (recipe.losses.distillation or recipe.losses.layers) and not recipe.teacher:
            raise RecipeError(f"{path}: 'losses' has distillation or layers, which need 'teacher', a model's folder")
        if recipe.splice and not recipe.losses.distillation:
            raise RecipeError(f"{path}: 'splice' is {recipe.splice:g} without 'losses.distillation': of pieces nobody else knows the text")
        if recipe.losses.language and not (recipe.language_model and recipe.losses.attention):
            raise RecipeError(f"{path}: 'losses.language' needs 'language_model', a folder, and 'losses.attention'")
        if not recipe.blocks:
            raise RecipeError(f"{path}: 'blocks' is empty, expected at least one")
        if recipe.trains == "edges" and any(blocks.new_frames == 0 for blocks in recipe.blocks):
            raise RecipeError(f"{path}: 'blocks' has full context (new_frames 0), where edge kernels act in nothing; leave it out")
        return recipe

    @property
    def hears_the_same(self) -> bool:
        """Whether all that is wanted of the encoder is its output, and that the same every time."""
        changes = self.augmentation is not None or set(self.speeds) != {1.0} or self.splice > 0 or self.encoder_dropout > 0
        return self.trains == "decoder" and not changes and not self.teacher and self.variants is None

    def folder(self, name: str) -> Path:
        return (self.base / name).resolve()


def _build(kind, value, where: str):
    """A value of TOML as what a field's type says."""
    if isinstance(kind, types.UnionType):
        kind = next(part for part in kind.__args__ if part is not type(None))
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise RecipeError(f"{where}: expected a table, found {value!r}")
        hints = typing.get_type_hints(kind)
        known = {f.name: f for f in dataclasses.fields(kind) if f.name != "base"}
        for name in value:
            if name not in known:
                raise RecipeError(f"{where}: unknown field '{name}'; there are {', '.join(known)}")
        for name, f in known.items():
            if name not in value and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
                raise RecipeError(f"{where}: no field '{name}'")
        try:
            return kind(**{name: _build(hints[name], part, f"{where}: '{name}'") for name, part in value.items()})
        except ValueError as error:
            raise RecipeError(f"{where}: {error}") from error
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise RecipeError(f"{where}: expected a list, found {value!r}")
        return tuple(_build(kind.__args__[0], part, f"{where}[{i}]") for i, part in enumerate(value))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise RecipeError(f"{where}: expected {kind.__name__}, found {value!r}")
    return value
