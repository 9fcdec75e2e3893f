"""`endpoint`: a model behind the OpenAI chat protocol: vLLM, Ollama, llama.cpp's server, a cloud.

A choice is read from the probabilities of the answer's first token where the endpoint tells them and the options hold
at least half of the probability (or are all among the tokens told). Otherwise the model answers once, held to the
options by a JSON schema, and the option that it gives gets `answer_probability`; the others share the rest evenly.
Every prompt is a request of its own, so that an answer does not depend on what it was asked together with. Answers are
remembered (`memo.py`), calls are budgeted and recorded (`ledger.py`).

The key is read from the environment at each call and kept nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, Field, ValidationError, model_validator

from ranpilot.errors import BackendError, ConfigError, ModelOutputError, RanpilotError
from ranpilot.llm.cache import cache_folder
from ranpilot.llm.chat_client import ChatClient, Rejected, Retries
from ranpilot.llm.chooser import FloatArray, check_choice
from ranpilot.llm.generator import Answer, Message, Prompted, Sampling, check_prompt, read_answer
from ranpilot.llm.ledger import Call, Ledger, Statistics
from ranpilot.llm.memo import Memo, TextMemo, answer_key
from ranpilot.llm.openai_chat import Reply, constrained, row_of_tokens, written_text
from ranpilot.llm.prompts import load_prompt
from ranpilot.llm.schema import bounded_schema
from ranpilot.llm.transport import Address, check_key
from ranpilot.validation import as_config_error

__all__ = ["KEY_VARIABLE", "PART", "URL_VARIABLE", "Endpoint", "EndpointConfig", "described"]

URL_VARIABLE, KEY_VARIABLE = "RANPILOT_ENDPOINT_URL", "RANPILOT_ENDPOINT_KEY"
WORD, JSON = (load_prompt(Path(__file__).parent, name, 1) for name in ("endpoint_word", "endpoint_json"))


class EndpointConfig(BaseModel, frozen=True, extra="forbid", strict=True, hide_input_in_errors=True):
    """Which endpoint is asked, how, and for how much at most; None leaves a limit or a parameter out."""

    model: str = Field(min_length=1, max_length=200, description="name of the model at the endpoint")
    base_url: str = Field(description=f"address before /chat/completions; {URL_VARIABLE} where not given")
    key_variable: str = Field(
        default=KEY_VARIABLE, pattern="^[A-Za-z_][A-Za-z0-9_]*$", description="environment variable that holds the key"
    )
    instructions: str = Field(default="", max_length=20_000, description="told to the model before every choice")
    temperature: float | None = Field(default=0.0, ge=0, le=2)
    seed: int | None = Field(default=0, ge=0, le=2**31 - 1)
    max_tokens: int = Field(default=256, ge=1, le=100_000, description="of one written answer")
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    choose_by: Literal["auto", "logprobs", "answer"] = "auto"
    top_logprobs: int = Field(default=20, ge=1, le=20, description="tokens whose probability is asked for")
    answer_probability: float = Field(default=0.9, gt=0.5, lt=1, description="of the option that was answered")
    nonsense: Literal["refuse", "uniform"] = Field(
        default="refuse", description="where a choice is none of the options"
    )
    timeout_s: float = Field(default=60.0, gt=0, le=3600, json_schema_extra={"unit": "s"})
    retries: int = Field(default=4, ge=0, le=20)
    backoff_s: float = Field(default=0.5, ge=0, le=60, json_schema_extra={"unit": "s"}, description="doubled each time")
    concurrency: int = Field(default=4, ge=1, le=64, description="requests at the same time")
    max_calls: int | None = Field(default=None, ge=0, le=10**9)
    max_tokens_total: int | None = Field(default=None, ge=0, le=10**12)
    price_per_1k_prompt_tokens: float | None = Field(default=None, ge=0, le=1e6)
    price_per_1k_completion_tokens: float | None = Field(default=None, ge=0, le=1e6)
    memo: bool | Path = Field(default=True, description="remember answers: in the user's cache, or in this file")
    record: Path | None = Field(default=None, description="file that every call is appended to as a line of JSON")

    @model_validator(mode="after")
    def _address_is_one(self) -> Self:
        Address.parse(self.base_url)
        return self

    @property
    def prices(self) -> tuple[float, float] | None:
        """Of 1000 prompt and completion tokens; None unless both are known."""
        prompt, completion = self.price_per_1k_prompt_tokens, self.price_per_1k_completion_tokens
        return None if prompt is None or completion is None else (prompt, completion)


class _Word(BaseModel, extra="forbid"):
    answer: str


class Endpoint:
    """A model that is asked over HTTP; making one makes no call."""

    ARGUMENT = "model"  # what stands after the colon in `endpoint:...`

    def __init__(self, **settings: Any) -> None:
        self.config = config = _checked(settings)
        self.name = f"endpoint:{config.model}"
        ledger = Ledger(config.model, config.max_calls, config.max_tokens_total, config.prices, config.record)
        retries = Retries(config.timeout_s, config.retries, config.backoff_s)
        address = Address.parse(f"{config.base_url.rstrip('/')}/chat/completions")
        field = config.max_tokens_field
        self._client = ChatClient(config.model, address, config.key_variable, retries, ledger, field)
        self._client.key()  # A key that no header can carry is refused now.
        self._choices, self._texts = Memo(self._memo_path()), TextMemo(self._memo_path())
        self._tries_logprobs = config.choose_by != "answer"

    @property
    def settings(self) -> dict[str, object]:
        """What decides an answer beside prompt and options, for records of results."""
        config, address = self.config, self._client.address
        return {
            "name": self.name,
            "model": config.model,
            "host": address.origin,
            "path": address.path,
            "temperature": config.temperature,
            "seed": config.seed,
            "choose_by": config.choose_by,
            "top_logprobs": config.top_logprobs,
            "answer_probability": config.answer_probability,
            "instructions": hashlib.sha256(config.instructions.encode("utf-8", "replace")).hexdigest()[:16],
            "prompts": [WORD.hash, JSON.hash],
        }

    @property
    def model_hash(self) -> str:
        """Hash of address, model and settings; which weights stand behind an endpoint is not known."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()

    @property
    def statistics(self) -> Statistics:
        """Calls, refused answers, tokens and cost so far."""
        return self._client.ledger.statistics

    @property
    def calls(self) -> list[Call]:
        """The record of the last calls."""
        return self._client.ledger.calls

    def choose(self, prompts: Sequence[str], options: Sequence[str]) -> FloatArray:
        """Natural-log probability of every option, [N, options]; blanks around an option don't count.

        Raises: ModelOutputError for an answer that is none of the options (unless `nonsense` is uniform);
        BackendTimeout, BudgetExceeded, BackendError. What was answered before that is remembered.
        """
        check_choice(prompts, options)
        words = [option.strip() for option in options]
        if not all(words) or len({word.casefold() for word in words}) < len(words):
            raise ConfigError("options", list(options), "words that differ in more than blanks and capitals")
        settings = self.settings
        keys = [answer_key(settings, prompt, words) for prompt in prompts]
        answers = self._choices.find(keys)
        self._client.ledger.remember(len(answers))
        new = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in answers}
        answers |= self._choose_new(new, words)
        rows = [answers[key] for key in keys]
        return np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))

    def generate(self, prompt: Prompted, schema: type[Answer], *, sampling: Sampling | None = None) -> Answer:
        """The model's answer as a valid `schema`; a text becomes one message of the user.

        Raises: ModelOutputError for an answer that the schema refuses (counted); ConfigError for a schema without
        bounds; BackendTimeout, BudgetExceeded, BackendError.
        """
        check_prompt(prompt)
        form = bounded_schema(schema)
        messages: list[Message] = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
        drawn = self._drawn | (sampling.model_dump() if sampling else {})
        key = answer_key(self.settings | drawn, json.dumps(messages), [json.dumps(form)])
        found = self._texts.find([key])
        if key in found:
            self._client.ledger.remember(1)
            return read_answer(found[key], schema)

        def read(reply: Reply) -> str:
            text = self._written(reply)
            read_answer(text, schema)
            return text

        text = self._client.ask("generate", {"messages": messages, **drawn, **constrained(form)}, read)
        return read_answer(self._texts.keep({key: text})[key], schema)

    def _choose_new(self, prompts: Mapping[bytes, str], words: Sequence[str]) -> dict[bytes, FloatArray]:
        """Ask for every prompt, some at a time; what was answered is kept before a failure or Ctrl-C is raised."""
        rows: dict[bytes, FloatArray] = {}
        uniform: dict[bytes, FloatArray] = {}
        failures: list[RanpilotError] = []
        with ThreadPoolExecutor(self.config.concurrency) as pool:
            running = {key: pool.submit(self._choose_one, prompt, words) for key, prompt in prompts.items()}
            try:
                for key, future in running.items():
                    if failures and future.cancel():
                        continue
                    try:
                        rows[key] = future.result()
                    except RanpilotError as error:
                        if isinstance(error, ModelOutputError) and self.config.nonsense == "uniform":
                            uniform[key] = np.full(len(words), -np.log(len(words)))
                        else:
                            failures.append(error)
            finally:
                for future in running.values():
                    future.cancel()
                rows = self._choices.keep(rows) if rows else {}
        if failures:
            raise failures[0]
        return rows | uniform

    def _choose_one(self, prompt: str, words: Sequence[str]) -> FloatArray:
        """The row [options] of one prompt."""
        if not self._tries_logprobs:
            return self._by_answer(prompt, words)
        only = self.config.choose_by == "logprobs"
        try:
            tells, row = self._by_logprobs(prompt, words)
        except Rejected:
            # Some models of a cloud refuse a request that asks for probabilities.
            if only:
                raise
            tells, row = False, None
        if only and not tells:
            raise BackendError(f"{self.config.base_url}: tells no probabilities; choose_by='answer' does without them.")
        if row is None:
            row = self._by_answer(prompt, words)
        self._tries_logprobs = self._tries_logprobs and tells
        return row

    def _by_logprobs(self, prompt: str, words: Sequence[str]) -> tuple[bool, FloatArray | None]:
        """Whether the endpoint tells probabilities, and the row [options] where they tell it."""

        def read(reply: Reply) -> tuple[bool, FloatArray | None]:
            row = row_of_tokens(reply.top, words) if reply.top else None
            if row is None and reply.tells_logprobs and self.config.choose_by == "logprobs":
                said = self._client.clean(reply.choices[0].message.content or "")
                raise ModelOutputError(said, f"must be one of {', '.join(words)}")
            return reply.tells_logprobs, row

        messages = self._choice_messages(prompt, WORD.render(options=", ".join(words)))
        extra = {"max_tokens": 1, "logprobs": True, "top_logprobs": self.config.top_logprobs}
        return self._client.ask("choose-logprobs", {"messages": messages, **self._drawn, **extra}, read)

    def _by_answer(self, prompt: str, words: Sequence[str]) -> FloatArray:
        """The row [options] of one prompt from one answer that a schema holds to the options."""

        def read(reply: Reply) -> int:
            text = self._written(reply)
            answer = read_answer(text, _Word).answer
            if answer not in words:
                raise ModelOutputError(text, f"answer = {answer[:60]!r}, but must be one of {', '.join(words)}")
            return words.index(answer)

        field = {"answer": {"type": "string", "enum": list(words)}}
        form = {"type": "object", "properties": field, "required": ["answer"], "additionalProperties": False}
        messages = self._choice_messages(prompt, JSON.render(options=", ".join(words)))
        chosen = self._client.ask("choose-answer", {"messages": messages, **self._drawn, **constrained(form)}, read)
        sure = self.config.answer_probability
        row = np.full(len(words), np.log((1 - sure) / (len(words) - 1)))
        row[chosen] = np.log(sure)
        return row

    def _choice_messages(self, prompt: str, rule: str) -> list[Message]:
        told = f"{self.config.instructions}\n{rule}" if self.config.instructions else rule
        return [{"role": "system", "content": told}, {"role": "user", "content": prompt}]

    def _written(self, reply: Reply) -> str:
        """What the model wrote, without the key where the server put it there."""
        try:
            return self._client.clean(written_text(reply))
        except ModelOutputError as error:
            raise ModelOutputError(self._client.clean(error.text), error.problem) from None

    @property
    def _drawn(self) -> dict[str, Any]:
        config = self.config
        return {"temperature": config.temperature, "seed": config.seed, "max_tokens": config.max_tokens}

    def _memo_path(self) -> Path | None:
        memo = self.config.memo
        if isinstance(memo, bool):
            return cache_folder() / "memo" / f"{self.model_hash}.sqlite" if memo else None
        return memo


PART = Endpoint


def described() -> str:
    """What the environment says about an endpoint, in words without the key; nothing is asked.

    Raises: ConfigError for an address that is none; BackendError for a key that no header can carry.
    """
    url, key = os.environ.get(URL_VARIABLE), os.environ.get(KEY_VARIABLE, "").strip()
    if key:
        check_key(key, KEY_VARIABLE)
    if not url:
        return f"not set: endpoint:MODEL needs its address in {URL_VARIABLE}"
    return f"{Address.parse(url).url} ({KEY_VARIABLE} is {'set' if key else 'not set'})"


def _checked(settings: dict[str, Any]) -> EndpointConfig:
    if settings.get("base_url") is None:
        url = os.environ.get(URL_VARIABLE)
        if not url:
            raise ConfigError(
                "endpoint.base_url", None, f"an address such as http://127.0.0.1:8080/v1 (or {URL_VARIABLE})"
            )
        settings = settings | {"base_url": url}
    try:
        return EndpointConfig(**settings)
    except ValidationError as error:
        raise as_config_error(error, EndpointConfig, prefix="endpoint") from None
