"""`embedded`: SmolLM2-135M-Instruct inside this process, offline, on one thread.

An option is one token, so a batch of choices is one forward pass: the hidden state at the prompt's last token times the
options' rows of the tied head, normalised over the options. With `depth` k only the first k layers run before the final
norm and the head (untrained, such a cut model is no better than chance; it is the base that training starts from).

Matrix libraries round differently for different shapes, so a batch is always run as chunks of 16 rows, right-padded to
a multiple of 8 tokens; the causal mask hides what stands to the right. The shape that a prompt meets depends on its own
length alone, and its answer on nothing else. Answers are remembered (`memo.py`), and the first one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from ranpilot.errors import ConfigError
from ranpilot.llm import weights
from ranpilot.llm.adapter_file import AdapterRecord, apply_adapter, find_adapter, read_record
from ranpilot.llm.cache import cache_folder
from ranpilot.llm.chooser import FloatArray, check_choice
from ranpilot.llm.decoding import Decoder
from ranpilot.llm.extras import require
from ranpilot.llm.generator import Answer, Prompted, Sampling
from ranpilot.llm.memo import Memo, answer_key
from ranpilot.llm.precision import preferred_precision
from ranpilot.llm.weights import load_model, load_tokenizer, weights_folder
from ranpilot.validation import as_config_error

__all__ = ["PART", "Embedded", "EmbeddedConfig"]

LAYERS = 30
ROWS = 16
LENGTH_STEP = 8


class EmbeddedConfig(BaseModel, frozen=True, extra="forbid", strict=True):
    """How the embedded model runs; every field but `threads` and `memo` is part of what decides an answer."""

    depth: int | None = Field(
        default=None, ge=1, le=30, description="layers that run before the final norm; all, or as the adapter has it"
    )
    device: str = Field(default="cpu", description="a torch device")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(default="auto", description="auto: what is faster here")
    threads: int = Field(default=1, ge=1, description="torch threads of this process, set when the model is loaded")
    memo: bool | Path = Field(
        default=True, description="remember answers on disk: in the user's cache, or in this file"
    )
    adapter: str | Path | None = Field(default=None, description="a trained adapter: a shipped one's name, or a folder")


class Embedded:
    """The embedded model, as it comes or with an adapter; loading sets torch's thread count for the whole process."""

    ARGUMENT = "adapter"  # what stands after the colon in `embedded:...`

    def __init__(self, **settings: Any) -> None:
        self.config = _checked(settings)
        self._torch = require("torch")
        require("transformers")
        adapter = None if self.config.adapter is None else find_adapter(self.config.adapter)
        self.record = None if adapter is None else read_record(adapter)
        self.depth = _depth(self.config.depth, self.record)
        self.model_hash = weights.GGUF_SHA256 if self.record is None else self.record.model_hash
        self.name = "untrained" if self.record is None else f"trained ({self.model_hash[:8]})"
        _check_device(self._torch, self.config.device)
        folder = weights_folder()
        self._torch.set_num_threads(self.config.threads)
        wanted = self.config.dtype
        self.dtype = preferred_precision(self.config.device).dtype if wanted == "auto" else wanted
        self.tokenizer = load_tokenizer(folder)
        if adapter is None or self.record is None:
            self.model = load_model(folder, depth=self.depth, device=self.config.device, dtype=self.dtype)
        else:
            # Merged in float32, so that rounding comes last.
            self.model = load_model(folder, depth=self.depth, device=self.config.device, dtype="float32")
            apply_adapter(self.model, adapter, self.record)
            for parameter in self.model.parameters():
                parameter.data = parameter.data.to(getattr(self._torch, self.dtype))
        self._memo = Memo(self._memo_path())

    @property
    def settings(self) -> dict[str, object]:
        """What decides an answer beside prompt and options, for records of results."""
        return {
            "name": self.name,
            "model_hash": self.model_hash,
            "depth": self.depth,
            "device": self.config.device,
            "dtype": self.dtype,
            "torch": str(self._torch.__version__),
        }

    def choose(self, prompts: Sequence[str], options: Sequence[str]) -> FloatArray:
        """Natural-log probability of every option as the next token, normalised over the options, [N, options].

        Raises: ConfigError for an option that is not one token, or a prompt that is empty or too long.
        """
        check_choice(prompts, options)
        option_ids = [self._single_token(option) for option in options]
        settings = self.settings
        keys = [answer_key(settings, prompt, options) for prompt in prompts]
        answers = self._memo.find(keys)
        new = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in answers}
        if new:
            answers |= self._memo.keep(self._score(new, option_ids))
        rows = [answers[key] for key in keys]
        return np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))

    @cached_property
    def decoder(self) -> Decoder:
        """What writes under a schema, with counts of its answers and of those that were refused; made at first use."""
        return Decoder(self.model, self.tokenizer)

    def generate(self, prompt: Prompted, schema: type[Answer], *, sampling: Sampling | None = None) -> Answer:
        """The model's answer as a valid `schema`; greedy where no sampling is given, then always the same.

        Raises: ModelOutputError for an answer that does not end or that the schema refuses; ConfigError for a schema
        without bounds; MissingExtraError without llguidance.
        """
        return self.decoder.generate(prompt, schema, sampling or Sampling())

    def _score(self, prompts: Mapping[bytes, str], option_ids: Sequence[int]) -> dict[bytes, FloatArray]:
        by_length: dict[int, list[tuple[bytes, list[int]]]] = {}
        for key, prompt in prompts.items():
            ids = self._token_ids(prompt)
            by_length.setdefault(-(-len(ids) // LENGTH_STEP) * LENGTH_STEP, []).append((key, ids))
        scores: dict[bytes, FloatArray] = {}
        for length, members in sorted(by_length.items()):
            for start in range(0, len(members), ROWS):
                chunk = members[start : start + ROWS]
                rows = self._forward([ids for _, ids in chunk], length, option_ids)
                scores |= {key: row for (key, _), row in zip(chunk, rows, strict=True)}
        return scores

    def _forward(self, chunk: Sequence[list[int]], length: int, option_ids: Sequence[int]) -> Iterable[FloatArray]:
        """Log-probabilities [len(chunk), options] of up to ROWS token lists, run in the one shape [ROWS, length]."""
        torch = self._torch
        ids = torch.zeros((ROWS, length), dtype=torch.long)
        last = torch.zeros(ROWS, dtype=torch.long)
        for row, tokens in enumerate(chunk):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            last[row] = len(tokens) - 1
        with torch.inference_mode():
            hidden = self.model.model(ids.to(self.config.device), use_cache=False).last_hidden_state
            state = hidden[torch.arange(ROWS), last.to(hidden.device)].double()  # [ROWS, hidden]
            head = self.model.lm_head.weight[list(option_ids)].double()  # [options, hidden]
            scores = torch.log_softmax(state @ head.T, dim=-1)[: len(chunk)]
        result: FloatArray = scores.cpu().numpy()
        return result

    def _token_ids(self, prompt: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(prompt).ids
        limit = self.model.config.max_position_embeddings
        if len(ids) > limit:
            raise ConfigError("prompt", f"{prompt[:40]}...", f"at most {limit} tokens long (it has {len(ids)})")
        return ids

    def _single_token(self, option: str) -> int:
        ids = self.tokenizer.encode(option).ids
        if len(ids) != 1:
            pieces = [self.tokenizer.decode([token]) for token in ids]
            raise ConfigError("option", option, f"a single token of the model (it is {len(ids)}: {pieces})")
        return int(ids[0])

    def _memo_path(self) -> Path | None:
        memo = self.config.memo
        if isinstance(memo, bool):
            return cache_folder() / "memo" / f"{self.model_hash}.sqlite" if memo else None
        return memo


PART = Embedded


def _checked(settings: dict[str, Any]) -> EmbeddedConfig:
    try:
        return EmbeddedConfig(**settings)
    except ValidationError as error:
        raise as_config_error(error, EmbeddedConfig, prefix="embedded") from None


def _depth(wanted: int | None, record: AdapterRecord | None) -> int:
    """How many layers run. Raises ConfigError for another number than an adapter was trained with."""
    if record is None:
        return LAYERS if wanted is None else wanted
    if wanted not in (None, record.depth):
        raise ConfigError("embedded.depth", wanted, f"{record.depth}, as the adapter was trained, or left out")
    return record.depth


def _check_device(torch: Any, device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        problem = str(error).splitlines()[0]
        raise ConfigError("embedded.device", device, f"a device that torch can use here ({problem})") from None
