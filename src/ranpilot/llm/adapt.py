"""Training the embedded model to choose: soft targets over option tokens, a few layers, minutes on one thread.

A prompt's options are single tokens. Their scores are the hidden state at the prompt's last token times their rows of
the tied head; p is the softmax of the scores over the options alone, as `choose` reports it. Two losses:

    soft target    L = -mean over prompts of sum over options t log p
    exact policy gradient (`finish_steps`, at the end)    L = -mean of sum p R

A policy gradient from the raw model collapses to the option with the best average reward, where p is 0 or 1 and the
gradient vanishes; that is why it can only be a finish. Embedding and head are frozen; layers beyond `depth` do not run.
Everything random is drawn from (seed, epoch), so a run that goes on from a checkpoint ends in the same bits.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from ranpilot.errors import BackendError, CheckpointError, ConfigError
from ranpilot.llm import weights
from ranpilot.llm.chooser import FloatArray
from ranpilot.llm.extras import require
from ranpilot.llm.weights import load_model, load_tokenizer, weights_folder

__all__ = ["AdaptConfig", "Adaptation", "Lessons", "adapt"]

RATES = {"lora": 4e-3, "full": 3e-4}
LORA_ALPHA_SHARE = 2.0
"""`lora_alpha` of PEFT, as a multiple of the rank."""

LENGTH_STEP = 8
CHECKPOINT_FORMAT = 1
CURVE_STEPS = 8
"""Steps that one point of the curve is the mean of."""

UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, pickle.UnpicklingError)
"""What `torch.load` raises for a damaged file."""

Positive = Annotated[int, Field(ge=1)]


class AdaptConfig(BaseModel, frozen=True, extra="forbid"):
    """How the model is trained."""

    method: Annotated[Literal["lora", "full"], Field(description="low-rank factors beside, or the layers themselves")]
    depth: Annotated[int, Field(ge=1, le=30, description="layers that run, and are trained")]
    rank: Annotated[int, Field(ge=1, le=256, description="of the low-rank factors")] = 16
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    clip: Annotated[float, Field(gt=0, description="greatest norm of the gradient")] = 1.0
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    finish_steps: Annotated[int, Field(ge=0, description="of them the last ones, by exact policy gradient")] = 0
    warmup_steps: Annotated[int, Field(ge=0, description="in which the rate rises; it falls linearly after")] = 8
    batch: Positive = 64
    seed: Annotated[int, Field(ge=0)] = 0
    device: str = "cpu"
    dtype: Annotated[Literal["float32", "bfloat16"], Field(description="of the products; weights are float32")] = (
        "float32"
    )
    threads: Positive = 1
    checkpoint_s: Annotated[float, Field(gt=0, description="seconds between checkpoints")] = 30.0

    @model_validator(mode="after")
    def _finish_is_a_part(self) -> AdaptConfig:
        if self.finish_steps > self.steps:
            raise ConfigError("finish_steps", self.finish_steps, f"at most steps ({self.steps})")
        return self

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return RATES[self.method] if self.learning_rate is None else self.learning_rate

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: up to `rate` in `warmup_steps`, then linearly down to 0 after the last."""
        rise = min(1.0, (step + 1) / max(self.warmup_steps, 1))
        left = (self.steps - step) / max(self.steps - self.warmup_steps, 1)
        return self.rate * min(rise, left, 1.0)


@dataclass(frozen=True)
class Lessons:
    """What is learned: N prompts, and how good each of K options is after each."""

    prompts: Callable[[int], Sequence[str]]
    """The N prompts as they are worded in an epoch."""
    targets: FloatArray
    """[N, K], each row sums to 1"""
    options: tuple[str, ...]
    """K single tokens."""
    rewards: FloatArray | None = None
    """[N, K] on the targets' scale; needed for a finish by policy gradient."""

    def __post_init__(self) -> None:
        shape = np.shape(self.targets)
        if len(shape) != 2 or shape[0] == 0 or shape[1] != len(self.options):
            raise ConfigError("targets: shape", shape, f"[N, {len(self.options)}] with N at least 1")
        if not np.allclose(np.sum(self.targets, axis=1), 1.0, atol=1e-6) or np.min(self.targets) < 0:
            raise ConfigError("targets", "rows", "probabilities that sum to 1")
        if self.rewards is not None and np.shape(self.rewards) != shape:
            raise ConfigError("rewards: shape", np.shape(self.rewards), f"{shape}, as the targets")


class Adaptation:
    """A training that can be stepped, saved, restored and written as an adapter."""

    def __init__(self, lessons: Lessons, config: AdaptConfig) -> None:
        if config.finish_steps and lessons.rewards is None:
            raise ConfigError("finish_steps", config.finish_steps, "0 where lessons have no rewards")
        self.lessons, self.config = lessons, config
        self.step = 0
        self.losses: list[float] = []
        self._torch = require("torch")
        self._torch.set_num_threads(config.threads)
        folder = weights_folder()
        self._tokenizer = load_tokenizer(folder)
        self._options = [self._single_token(option) for option in lessons.options]
        base = load_model(folder, depth=config.depth, device=config.device, dtype="float32")
        self._wrapped = _with_factors(base, config) if config.method == "lora" else None
        self._model = base
        if self._wrapped is None:
            for name, parameter in base.named_parameters():
                parameter.requires_grad_(name.startswith(("model.layers.", "model.norm.")))
        self._trained = {n: p for n, p in base.named_parameters() if p.requires_grad}
        self._optimiser = self._torch.optim.AdamW(
            self._trained.values(), lr=config.rate, betas=config.betas, weight_decay=config.weight_decay
        )
        self._targets = self._tensor(lessons.targets)
        self._rewards: Any = None if lessons.rewards is None else self._tensor(lessons.rewards)
        self._epoch = -1

    @property
    def is_finished(self) -> bool:
        """Whether every step is done."""
        return self.step >= self.config.steps

    @property
    def curve(self) -> list[dict[str, float]]:
        """Mean loss of every few steps, with the step at which they end."""
        starts = range(0, len(self.losses), CURVE_STEPS)
        parts = [(start, self.losses[start : start + CURVE_STEPS]) for start in starts]
        return [{"step": start + len(part), "loss": float(np.mean(part))} for start, part in parts]

    def advance(self) -> float:
        """One step of the optimiser; the loss before it."""
        config, torch = self.config, self._torch
        for group in self._optimiser.param_groups:
            group["lr"] = config.rate_at(self.step)
        finishes = self.step >= config.steps - config.finish_steps
        self._optimiser.zero_grad(set_to_none=True)
        loss = 0.0
        for rows, ids, last in self._batch():
            with torch.autocast(config.device, dtype=torch.bfloat16, enabled=config.dtype == "bfloat16"):
                logp = self._log_probability(ids, last)
            part = -(logp.exp() * self._rewards[rows] if finishes else logp * self._targets[rows]).sum() / config.batch
            part.backward()
            loss += float(part.detach())
        torch.nn.utils.clip_grad_norm_(self._trained.values(), config.clip)
        self._optimiser.step()
        self.step += 1
        self.losses.append(loss)
        return loss

    def choose(self, prompts: Sequence[str]) -> FloatArray:
        """Log-probability of every option after every prompt by the weights as they are now, [N, K]."""
        result = np.empty((len(prompts), len(self._options)))
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(prompts))]
        for start in range(0, len(prompts), self.config.batch):
            part = tokens[start : start + self.config.batch]
            ids, last = self._padded(part, -(-max(map(len, part)) // LENGTH_STEP) * LENGTH_STEP)
            with self._torch.inference_mode():
                result[start : start + len(part)] = self._log_probability(ids, last).double().cpu().numpy()
        return result

    def tensors(self) -> dict[str, Any]:
        """What was trained, by the names of an adapter's tensor file."""
        if self._wrapped is None:
            return {name: parameter.detach() for name, parameter in self._trained.items()}
        found: dict[str, Any] = require("peft").get_peft_model_state_dict(self._wrapped)
        return found

    def peft_config(self) -> dict[str, Any] | None:
        """The content of PEFT's adapter_config.json; None where no factors were trained."""
        if self._wrapped is None:
            return None
        config = self._wrapped.peft_config["default"].to_dict()
        config |= {"inference_mode": True, "base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct"}
        plain: dict[str, Any] = json.loads(json.dumps(config, default=_as_json))
        return plain

    def save(self, path: Path) -> None:
        """Write everything that is needed to go on, atomically. Raises CheckpointError."""
        content = {
            "format": CHECKPOINT_FORMAT,
            "identity": self._identity(),
            "step": self.step,
            "losses": self.losses,
            "weights": {name: parameter.detach() for name, parameter in self._trained.items()},
            "optimiser": self._optimiser.state_dict(),
        }
        buffer = io.BytesIO()
        self._torch.save(content, buffer)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(buffer.getbuffer())
            os.replace(temporary, path)
        except OSError as error:
            problem = f"could not be written ({error.strerror or error})"
            raise CheckpointError(str(path), problem, "make room or choose another folder") from error
        finally:
            temporary.unlink(missing_ok=True)

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote. Raises CheckpointError where it is damaged or of another training."""
        remedy = "delete it, and the training begins anew"
        try:
            content = self._torch.load(path, map_location=self.config.device, weights_only=True)
            found, step = (content["format"], content["identity"]), int(content["step"])
        except UNREADABLE as error:
            raise CheckpointError(str(path), f"cannot be read ({str(error).splitlines()[0]})", remedy) from error
        if found != (CHECKPOINT_FORMAT, self._identity()):
            raise CheckpointError(str(path), "belongs to another training", remedy)
        with self._torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(content["weights"][name])
        self._optimiser.load_state_dict(content["optimiser"])
        self.step, self.losses = step, list(content["losses"])

    def _identity(self) -> str:
        """What a checkpoint must agree in."""
        settings = self.config.model_dump(mode="json", exclude={"threads", "checkpoint_s"})
        targets = hashlib.sha256(np.ascontiguousarray(self.lessons.targets, dtype="<f8").tobytes()).hexdigest()
        return json.dumps([weights.GGUF_SHA256, settings, self.lessons.options, targets], sort_keys=True)

    def _batch(self) -> Iterator[tuple[Any, Any, Any]]:
        """The step's examples as chunks of one padded length: rows, token ids [n, L], place of the last token [n]."""
        size, count = self.config.batch, len(self.lessons.targets)
        places = range(self.step * size, (self.step + 1) * size)
        by_length: dict[int, list[tuple[int, list[int]]]] = {}
        for place in places:
            self._enter_epoch(place // count)
            row = int(self._order[place % count])
            ids = self._tokens[row]
            by_length.setdefault(-(-len(ids) // LENGTH_STEP) * LENGTH_STEP, []).append((row, ids))
        for length, members in sorted(by_length.items()):
            ids, last = self._padded([tokens for _, tokens in members], length)
            yield self._torch.tensor([row for row, _ in members], device=self.config.device), ids, last

    def _enter_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch and ask for its wording."""
        if epoch == self._epoch:
            return
        prompts = list(self.lessons.prompts(epoch))
        if len(prompts) != len(self.lessons.targets):
            raise ConfigError("prompts", len(prompts), f"{len(self.lessons.targets)}, one for each row of the targets")
        self._tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(prompts)]
        self._order = np.random.default_rng([self.config.seed, epoch]).permutation(len(prompts))
        self._epoch = epoch

    def _padded(self, tokens: Sequence[Sequence[int]], length: int) -> tuple[Any, Any]:
        """Right-padded ids [n, length], which the causal mask hides, and the place of each last token [n]."""
        ids = self._torch.zeros((len(tokens), length), dtype=self._torch.long)
        for row, of_row in enumerate(tokens):
            ids[row, : len(of_row)] = self._torch.tensor(of_row)
        last = self._torch.tensor([len(of_row) - 1 for of_row in tokens])
        return ids.to(self.config.device), last.to(self.config.device)

    def _log_probability(self, ids: Any, last: Any) -> Any:
        """[n, K], normalised over the options."""
        torch = self._torch
        hidden = self._model.model(ids, use_cache=False).last_hidden_state
        state = hidden[torch.arange(len(ids), device=hidden.device), last]
        return torch.log_softmax((state @ self._model.lm_head.weight[self._options].T).float(), dim=-1)

    def _single_token(self, option: str) -> int:
        ids = self._tokenizer.encode(option).ids
        if len(ids) != 1:
            raise ConfigError("option", option, f"a single token of the model (it is {len(ids)})")
        return int(ids[0])

    def _tensor(self, values: FloatArray) -> Any:
        return self._torch.tensor(np.asarray(values, dtype=np.float32), device=self.config.device)


def adapt(
    lessons: Lessons,
    config: AdaptConfig,
    *,
    checkpoint: Path | None = None,
    on_step: Callable[[Adaptation], None] | None = None,
) -> Adaptation:
    """Train to the end, going on from the checkpoint where there is one.

    on_step: called after every step; what it raises ends the training, after the checkpoint was written.
    """
    training = Adaptation(lessons, config)
    if checkpoint is not None and checkpoint.exists():
        training.restore(checkpoint)
    saved = time.monotonic()
    while not training.is_finished:
        training.advance()
        try:
            if on_step is not None:
                on_step(training)
        except BaseException:
            if checkpoint is not None:
                training.save(checkpoint)
            raise
        if checkpoint is not None and (training.is_finished or time.monotonic() - saved >= config.checkpoint_s):
            training.save(checkpoint)
            saved = time.monotonic()
    return training


def _with_factors(base: Any, config: AdaptConfig) -> Any:
    """PEFT's model around `base`, whose linear layers now carry factors drawn from the seed."""
    torch, peft = require("torch"), require("peft")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        wanted = peft.LoraConfig(
            r=config.rank, lora_alpha=LORA_ALPHA_SHARE * config.rank, lora_dropout=0.0, target_modules="all-linear",
            bias="none", task_type="CAUSAL_LM",
        )  # fmt: skip
        try:
            return peft.get_peft_model(base, wanted)
        except ValueError as error:
            raise BackendError(f"PEFT could not add factors to the model ({error}).") from error


def _as_json(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
