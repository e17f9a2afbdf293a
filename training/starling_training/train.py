"""The training loop: one process a core or a GPU, the same step everywhere, resumable to the bit."""

import csv
import dataclasses
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor

from . import alignment, losses
from .audio import AudioStore
from .batches import Batch, Epoch, Loader
from .blocks import frames_of
from .checkpoint import load_model, save_model
from .decoder import BidirectionalDecoder, DecoderConfig, teacher_forced
from .evaluate import surprise, word_error_rate
from .features import LogMel
from .frozen import FrozenOutputs
from .language import LanguageModel
from .model import ConformerCTC
from .pieces import Pieces
from .recipe import Recipe, RecipeError
from .stream import BlockShape
from .variants import Variants

STATE = "state.pt"
# What is measured besides the recipe's own block sizes, so that runs can be compared.
VALIDATION_SHAPES = {"full": None, "8/8": BlockShape(8, 8), "4/4": BlockShape(4, 4)}
# Greedy word error rates in per cent, and the decoder's cross entropies.
VALIDATION_COLUMNS = [f"{what} {name}" for what in ("wer", "left", "right") for name in VALIDATION_SHAPES]


class Student(torch.nn.Module):
    """What is trained: the encoder with its CTC head, its variants, and the decoder if there is one."""

    def __init__(self, encoder: ConformerCTC, decoder: BidirectionalDecoder | None, variants: Variants | None):
        super().__init__()
        self.encoder, self.decoder, self.variants = encoder, decoder, variants

    @staticmethod
    def load(recipe: Recipe, folder: Path) -> "Student":
        encoder, v = load_model(folder, recipe.edge_taps), recipe.variants
        if recipe.edge_taps not in (0, encoder.config.edge_taps):
            raise RecipeError(
                f"{folder}: its edge kernels have {encoder.config.edge_taps} taps, the recipe's edge_taps are "
                f"{recipe.edge_taps}; take {encoder.config.edge_taps}, or leave edge_taps out")
        variants = Variants(encoder, v.intermediate, v.feeds_back, v.gates) if v else None
        return Student(encoder, Student.load_decoder(recipe, folder, encoder), variants)

    @staticmethod
    def load_decoder(recipe: Recipe, folder: Path, encoder: ConformerCTC) -> BidirectionalDecoder | None:
        if recipe.trains not in ("decoder", "joint"):
            return None
        if recipe.decoder is None:
            decoder = BidirectionalDecoder.load(folder, recipe.position_width)
            if decoder is None:
                raise RecipeError(f"{folder}: has no decoder; the recipe needs a table 'decoder' to start one")
            return decoder
        c = encoder.config
        torch.manual_seed(recipe.seed)
        return BidirectionalDecoder(DecoderConfig(
            c.width, c.width, c.heads, c.feed_forward_width, recipe.decoder.left_layers, recipe.decoder.right_layers,
            c.vocabulary, c.blank, recipe.decoder.auxiliary_heads, recipe.decoder.position_width))


@dataclasses.dataclass
class Progress:
    """Where a run is: the next step is batch `batch` of epoch `epoch`."""

    step: int = 0
    hours: float = 0.0
    epoch: int = 0
    batch: int = 0


class Trainer:
    """A run in a folder: state.pt (resumed from if there), log.csv, model/ (the average of weights)."""

    def __init__(self, recipe: Recipe, folder: Path, rank: int = 0, world: int = 1, device: str = "cpu"):
        self.recipe, self.folder, self.rank, self.world = recipe, folder, rank, world
        self.device = torch.device(device)
        source = recipe.folder(recipe.model)
        self.pieces = Pieces(source / "tokens.txt")
        self.store = AudioStore(folder / "audio")
        self.recordings, self.held_out = self.store.split(recipe.hold_out)
        if not self.recordings:
            raise RecipeError(f"{folder / 'audio'}: 'hold_out' {recipe.hold_out} leaves nothing to train on")
        self.student = Student.load(recipe, source).to(self.device)
        self.average = Student.load(recipe, source).to(self.device).requires_grad_(False)
        self.teacher = None
        if recipe.teacher:
            self.teacher = load_model(recipe.folder(recipe.teacher)).to(self.device).requires_grad_(False)
        self.front_end = LogMel(self.student.encoder.config.mels).to(self.device)
        chosen = "" if recipe.trains == "joint" else recipe.trains + "."
        edge, matrices, vectors = [], [], []
        for name, parameter in self.student.named_parameters():
            is_edge = name.endswith("edge_kernels")
            trained = is_edge if recipe.trains == "edges" else name.startswith((chosen, "variants."))
            parameter.requires_grad_(trained and not name.removeprefix("encoder.").startswith(recipe.frozen))
            if parameter.requires_grad:
                (edge if is_edge else matrices if parameter.dim() > 1 else vectors).append(parameter)
        self.trained = [*matrices, *vectors, *edge]
        if not self.trained:
            raise RecipeError(f"{source}: nothing in it is trained; 'trains' is {recipe.trains!r}, 'edge_taps' {recipe.edge_taps}")
        self.language_model = None
        if recipe.language_model:
            self.language_model = LanguageModel.load(recipe.folder(recipe.language_model)).to(self.device)
        if self.student.variants is not None:
            self.student.variants.train()
        if self.student.decoder is not None:
            self.student.decoder.train()  # for its dropout; the encoder's batch norms keep their statistics
        schedule = recipe.schedule
        # Vectors (biases, norms) are not pulled to zero.
        groups = [
            {"params": matrices, "weight_decay": schedule.weight_decay, "factor": 1.0},
            {"params": vectors, "weight_decay": 0.0, "factor": 1.0},
            {"params": edge, "weight_decay": schedule.weight_decay, "factor": schedule.edge_rate},
        ]
        groups = [group for group in groups if group["params"]]
        self.optimizer = torch.optim.AdamW(groups, lr=schedule.rate, betas=(0.9, 0.98), eps=1e-9, fused=True)
        self.frozen = None
        if recipe.hears_the_same:
            shapes = list(dict.fromkeys(blocks.shape(left) for blocks in recipe.blocks for left in blocks.left))
            self.frozen = FrozenOutputs(
                folder / "frozen", self.student.encoder, self.store, shapes, rank, world, recipe.bfloat16)
        self.progress = Progress()
        if (folder / STATE).exists():
            self.resume()

    # State

    def resume(self) -> None:
        state = torch.load(self.folder / STATE, map_location=self.device, weights_only=True)
        self.student.load_state_dict(state["student"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])

    def save(self) -> None:
        """The whole state, and the averaged model as a folder, if it is one that the engine runs."""
        if self.rank:
            return
        state = {
            "student": self.student.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(), "progress": dataclasses.asdict(self.progress),
        }
        torch.save(state, self.folder / "state.new")
        os.replace(self.folder / "state.new", self.folder / STATE)
        if self.average.variants is not None and not self.average.variants.runs_in_the_engine:
            return
        source = self.recipe.folder(self.recipe.model)
        save_model(self.average.encoder, source, self.folder / "model", self.average.decoder)

    # A step

    def autocast(self):
        if not self.recipe.bfloat16:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def drawn_shape(self, step: int) -> BlockShape | None:
        """The same in all processes, so that their steps take as long."""
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        weights = torch.tensor([blocks.weight for blocks in self.recipe.blocks])
        blocks = self.recipe.blocks[int(torch.multinomial(weights, 1, generator=generator))]
        left = blocks.left[int(torch.randint(len(blocks.left), (1,), generator=generator))]
        return blocks.shape(left)

    def loss(self, batch: Batch, shape: BlockShape | None) -> tuple[Tensor, dict[str, float]]:
        weights, encoder = self.recipe.losses, self.student.encoder
        variants = self.student.variants
        with self.autocast(), torch.set_grad_enabled(self.recipe.trains != "decoder"):
            if self.frozen is not None:
                hidden, lengths = (t.to(self.device) for t in self.frozen.batch(batch.recordings, shape))
                kept = {}
            else:
                mel, frames = self.front_end(batch.heard, batch.lengths)
                masking = self.masking(batch, frames)
                hidden, lengths, kept = frames_of(encoder, mel, shape, frames, weights.at_layers, masking, variants, self.recipe.encoder_dropout)
            log_probs = encoder.log_probs(hidden)
        log_probs = log_probs.float()
        inside = losses.frames_inside(lengths, hidden.shape[1])
        parts: dict[str, tuple[float, Tensor]] = {}
        if self.teacher is not None:
            with torch.no_grad(), self.autocast():
                clean, frames = self.front_end(batch.clean, batch.lengths)
                target, _, target_kept = frames_of(self.teacher, clean, None, frames, weights.at_layers)
                target_log_probs = self.teacher.log_probs(target).float()
            reach = weights.reach if shape else 0
            parts["distillation"] = weights.distillation, losses.distillation(log_probs, target_log_probs, inside, reach)
            if weights.layers:
                parts["layers"] = weights.layers, losses.layers(kept, target_kept, inside)
        ctc = weights.ctc if shape or weights.full_ctc is None else weights.full_ctc
        if ctc:
            parts["ctc"] = ctc, losses.ctc(log_probs, lengths, batch.targets, encoder.config.blank)
        if variants is not None and variants.read:
            read = [losses.ctc(self.final(rows, shape), lengths, batch.targets, encoder.config.blank) for rows in variants.read.values()]
            parts["intermediate"] = weights.intermediate, sum(read) / len(read)
        if variants is not None and variants.opened:
            parts["gates"] = weights.gates, (variants.openness() - self.recipe.variants.openness).abs()
        if self.student.decoder is not None:
            for name, part in self.attention(hidden, log_probs, lengths, inside, batch).items():
                parts[name] = getattr(weights, name), part
        total = sum(weight * part for weight, part in parts.values())
        return total, {name: part.item() for name, (_, part) in parts.items()}

    def final(self, rows: Tensor, shape: BlockShape | None) -> Tensor:
        """The final frames [b, ≥ T, ·] of blocks [b, s, n, ·]."""
        return rows[:, :, : shape.new_frames if shape else None].flatten(1, 2)

    def attention(
        self, hidden: Tensor, log_probs: Tensor, lengths: Tensor, inside: Tensor, batch: Batch,
    ) -> dict[str, Tensor]:
        """The decoder's losses, both directions together."""
        weights, decoder, blank = self.recipe.losses, self.student.decoder, self.student.encoder.config.blank
        chosen = [i for i, text in enumerate(batch.targets) if text and losses.fits(text, int(lengths[i]))]
        zero = torch.zeros((), device=hidden.device)
        parts = {"attention": zero, "guide": zero, "language": zero}
        if not chosen:
            return parts
        texts = [batch.targets[i] for i in chosen]
        spikes = [
            alignment.spikes(log_probs[i, : lengths[i]].detach().cpu().numpy(), text, blank) for i, text in zip(chosen, texts)
        ] if weights.guide else []
        directions = decoder.directions()
        for direction, backwards in directions:
            share = weights.reverse if backwards else 1 - weights.reverse
            share = share if len(directions) > 1 else 1.0
            inputs, outputs = (t.to(self.device) for t in teacher_forced(texts, decoder.config.sos_eos, backwards))
            with self.autocast():
                said, heads, crosses = direction(inputs, hidden[chosen], inside[chosen], self.recipe.dropout)
            part = losses.cross_entropy(said, outputs, weights.smoothing)
            if heads:
                mean = sum(losses.cross_entropy(h, outputs, weights.smoothing) for h in heads.values()) / len(heads)
                part = (1 - weights.auxiliary) * part + weights.auxiliary * mean
            parts["attention"] = parts["attention"] + share * part
            if weights.guide:
                wanted = torch.full(outputs.shape, -1)
                for row, frames in zip(wanted, spikes):
                    row[: len(frames)] = torch.from_numpy(frames[::-1].copy() if backwards else frames)
                parts["guide"] = parts["guide"] + share * losses.guide(crosses, wanted.to(self.device))
            if self.language_model is not None and not backwards:
                with torch.no_grad(), self.autocast():
                    expected = self.language_model(inputs)
                parts["language"] = losses.distillation(said, expected, outputs >= 0)
        return parts

    def masking(self, batch: Batch, frames: Tensor):
        augmentation = self.recipe.augmentation
        if augmentation is None:
            return None

        def mask(features: Tensor) -> None:
            rng = np.random.default_rng(batch.seed)
            factors = np.ones(features.shape, np.float32)
            for row, length in zip(factors, frames.tolist()):
                augmentation.mask(row[:length], rng)
            features *= torch.from_numpy(factors).to(features.device)

        return mask

    def step(self, batch: Batch) -> dict[str, float]:
        """One step of all processes on their batches. Returns what is worth a line in the log."""
        progress, schedule = self.progress, self.recipe.schedule
        shape = self.drawn_shape(progress.step)
        rate = schedule.rate_at(progress.step, progress.hours)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        # Dropout is the only chance in a step that is not in the batch already.
        torch.manual_seed(batch.seed % 2**31)
        loss, parts = self.loss(batch.to(self.device), shape)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        hours = self.sum_over_processes(batch.hours)
        norm = torch.nn.utils.clip_grad_norm_(self.trained, schedule.clip)
        if torch.isfinite(norm):
            self.optimizer.step()
            self.move_average()
        progress.step += 1
        progress.hours += hours
        name = f"{shape.new_frames}/{shape.look_ahead_frames}" if shape else "full"
        return {"step": progress.step, "hours": round(progress.hours, 4), "shape": name, "rate": rate,
                "norm": norm.item(), "loss": loss.item(), **parts}

    def sum_over_processes(self, hours: float) -> float:
        """Gradients become their mean over all processes, in one message; hours their sum."""
        for p in self.trained:
            if p.grad is None:  # a shape that does not use it
                p.grad = torch.zeros_like(p)
        if self.world == 1:
            return hours
        # hours ride along: one message a step.
        flat = torch.cat([*(p.grad.flatten() for p in self.trained), torch.tensor([hours * self.world], device=self.device)])
        distributed.all_reduce(flat)
        flat /= self.world
        start = 0
        for p in self.trained:
            p.grad.copy_(flat[start : start + p.numel()].view_as(p))
            start += p.numel()
        return flat[-1].item()

    @torch.no_grad()
    def move_average(self) -> None:
        averaged, current = list(self.average.parameters()), list(self.student.parameters())
        torch._foreach_lerp_(averaged, current, 1 - self.recipe.schedule.average)

    # The run

    def run(
        self, until_hours: float | None = None, minutes: float | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> Progress:
        """Goes on until the recipe's hours, `until_hours`, for so many minutes, or until it is interrupted;
        saves at the end."""
        recipe, progress = self.recipe, self.progress
        end = min(recipe.schedule.hours, until_hours or recipe.schedule.hours)
        loader = Loader(
            self.store, self.recordings, self.pieces, recipe.augmentation, recipe.seed, recipe.threads, recipe.splice)
        began = saved = time.monotonic()
        first_hours, every = progress.hours, recipe.validation.every_hours
        with Log(self.folder / "log.csv", self.rank == 0) as log:
            while progress.hours < end:
                epoch = Epoch(
                    self.recordings, recipe.schedule.batch_seconds, recipe.speeds, recipe.seed, progress.epoch, self.world)
                self.say(f"epoch {progress.epoch}: {len(epoch.batches)} batches, padding {100 * epoch.padding:.1f} %")
                for batch in loader.each(epoch, progress.epoch, self.rank, self.world, progress.batch):
                    before = progress.hours
                    row = self.step(batch)
                    progress.batch += 1
                    now = time.monotonic()
                    log.write(row | {"audio_hours_per_hour": (progress.hours - first_hours) / (now - began) * 3600})
                    due = progress.hours // every > before // every
                    if due and (recipe.validation.corpus or self.held_out):
                        self.validate(log)
                    # All processes must stop at the same step: the first one says when.
                    over = self.agreed(interrupted() or minutes is not None and now - began > 60 * minutes)
                    if over or progress.hours >= end:
                        self.save()
                        return progress
                    if now - saved > 60 * recipe.checkpoint_minutes:
                        saved = now
                        self.save()
                progress.epoch, progress.batch = progress.epoch + 1, 0
        # Nothing was left to do; who asked still finds the model of this run.
        self.save()
        return progress

    def validate(self, log: "Log") -> None:
        store, chosen, count = self.store, self.held_out, self.recipe.validation.utterances
        if self.recipe.validation.corpus:
            store = AudioStore(self.folder / "validation")
            chosen = store.recordings
        chosen = chosen[:: max(1, len(chosen) // count)][:count]
        encoder, decoder = self.average.encoder, self.average.decoder
        names = list(VALIDATION_SHAPES)[self.rank :: self.world]
        found: dict[str, float] = {}
        with self.autocast():
            for name in names:
                shape = VALIDATION_SHAPES[name]
                if decoder is not None:
                    surprises = surprise(encoder, decoder, self.pieces, store, chosen, shape)
                    found |= {f"{way} {name}": value for way, value in zip(("left", "right"), surprises)}
                if self.recipe.trains != "decoder":
                    found[f"wer {name}"] = word_error_rate(encoder, self.pieces, store, chosen, shape)
        everyone = [found]
        if self.world > 1:
            everyone = [{} for _ in range(self.world)]
            distributed.all_gather_object(everyone, found)
        found = {name: value for part in everyone for name, value in part.items()}
        order = [name for name in VALIDATION_COLUMNS if name in found]
        self.say(f"{self.progress.hours:.1f} h: " + ", ".join(f"{name} {found[name]:.3g}" for name in order))
        log.write({"step": self.progress.step, "hours": round(self.progress.hours, 4), **found})

    def agreed(self, mine: bool) -> bool:
        if self.world == 1:
            return mine
        flag = torch.tensor([float(mine)])
        distributed.broadcast(flag, 0)
        return bool(flag.item())

    def say(self, line: str) -> None:
        if self.rank == 0:
            print(line, flush=True)


class Log:
    """log.csv, a line a step; columns that a line lacks are empty."""

    COLUMNS = ["step", "hours", "shape", "rate", "norm", "loss", "distillation", "layers", "ctc", "attention", "guide", "language", "intermediate", "gates", "audio_hours_per_hour",
               *VALIDATION_COLUMNS]

    def __init__(self, path: Path, writes: bool):
        self.path, self.file = path, None
        if writes:
            new = not path.exists()
            self.file = open(path, "a", newline="", encoding="utf-8", buffering=1)
            self.rows = csv.DictWriter(self.file, self.COLUMNS)
            if new:
                self.rows.writeheader()

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_) -> None:
        if self.file:
            self.file.close()

    def write(self, row: dict[str, object]) -> None:
        if self.file:
            self.rows.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
