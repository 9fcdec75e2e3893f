"""The OpenAI chat protocol as data: what is sent to `/chat/completions`, and what must come back.

Source: the OpenAI API reference, *Create chat completion*; vLLM, Ollama and llama.cpp's server speak the same.
Only the parts that are used are read; anything else in an answer is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from ranpilot.errors import ModelOutputError
from ranpilot.llm.chooser import FloatArray
from ranpilot.llm.transport import PostFailed
from ranpilot.validation import first_problem

__all__ = ["Reply", "TopToken", "constrained", "row_of_tokens", "written_text"]

LEAST_SHARE = 0.5
SMALLEST = 1e-9  # probability that rounding leaves over


class TopToken(BaseModel):
    """One of the likeliest tokens at a position."""

    token: str
    logprob: float = Field(le=1e-3, allow_inf_nan=False, description="natural logarithm; servers round to just above 0")


class _Position(BaseModel):
    top_logprobs: list[TopToken] = []


class _Logprobs(BaseModel):
    content: list[_Position] | None = None


class _Written(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Written
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0, le=10**9)
    completion_tokens: int = Field(default=0, ge=0, le=10**9)


class Reply(BaseModel):
    """The answer to one request."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None

    @classmethod
    def read(cls, data: bytes) -> Reply:
        """The reply that these bytes hold. Raises: PostFailed for anything else."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            problem = first_problem(error, cls)
            field = ".".join(str(part) for part in problem.path)
            said = f"its field {field} must be {problem.allowed}" if field else f"it must be {problem.allowed}"
            raise PostFailed("broken answer", f"the answer is not that of a chat endpoint: {said}") from None

    @property
    def tells_logprobs(self) -> bool:
        """Whether the endpoint tells probabilities at all."""
        return self.choices[0].logprobs is not None

    @property
    def top(self) -> list[TopToken]:
        """The likeliest first tokens, as far as they are told."""
        logprobs = self.choices[0].logprobs
        return logprobs.content[0].top_logprobs if logprobs and logprobs.content else []


def constrained(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a request that asks for JSON of this schema."""
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    }


def written_text(reply: Reply) -> str:
    """What the model wrote. Raises: ModelOutputError where it wrote nothing, declined, or was cut off."""
    choice = reply.choices[0]
    text = choice.message.content or ""
    if choice.message.refusal:
        raise ModelOutputError(choice.message.refusal, "is a refusal")
    if choice.finish_reason == "length":
        raise ModelOutputError(text, "is not complete when max_tokens are used up")
    if not text:
        raise ModelOutputError(text, "is empty")
    return text


def row_of_tokens(tokens: Sequence[TopToken], words: Sequence[str]) -> FloatArray | None:
    """Log-probabilities [words], normalised over them, of the likeliest first tokens; None where these don't tell.

    Blanks and capitals don't count. A word that is none of the tokens gets the most that it can have: the least of
    their probabilities, or what they leave over. They tell only where the words found hold LEAST_SHARE together.
    """
    logprobs = np.array([token.logprob for token in tokens])
    left_over = max(1.0 - np.exp(logprobs).sum(), SMALLEST)
    row = np.full(len(words), -np.inf)
    for index, word in enumerate(words):
        for token in tokens:
            if token.token.strip().casefold() == word.casefold():
                row[index] = np.logaddexp(row[index], token.logprob)
    found = np.isfinite(row)
    if not found.all() and np.exp(row).sum() < LEAST_SHARE:
        return None
    row[~found] = min(logprobs.min(), np.log(left_over))
    normalised: FloatArray = row - np.logaddexp.reduce(row)
    return normalised
