"""What a language model that writes can do: answer a prompt with data of a given pydantic type, or be refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypedDict, TypeVar

from pydantic import BaseModel, Field, ValidationError

from ranpilot.errors import ConfigError, ModelOutputError
from ranpilot.validation import first_problem

__all__ = ["Answer", "Generator", "Message", "Prompted", "Sampling", "check_prompt", "read_answer"]

Answer = TypeVar("Answer", bound=BaseModel)
ROLES = ("system", "user", "assistant")
SHOWN = 60  # characters of a wrong value that a sentence repeats


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


Prompted = str | Sequence[Message]


class Sampling(BaseModel, frozen=True, extra="forbid", strict=True):
    """How an answer is drawn, token by token."""

    temperature: float = Field(default=0.0, ge=0, le=2, description="0: always the likeliest token")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="of the draws where temperature is above 0")
    max_tokens: int = Field(default=256, ge=1, le=8192, description="an answer that is longer is refused")


class Generator(Protocol):
    """A model that writes; `name` says which adviser a result came from, `model_hash` which weights."""

    @property
    def name(self) -> str:
        """What results call this adviser: `untrained`, `endpoint:<model>`, ..."""

    @property
    def model_hash(self) -> str:
        """Hash of the weights; with the prompt it decides the answer."""

    def generate(self, prompt: Prompted, schema: type[Answer], *, sampling: Sampling | None = None) -> Answer:
        """An answer to the prompt (a text or messages) as a valid `schema`; sampling None: as the model was set up.

        Raises: ModelOutputError for an answer that the schema refuses; ConfigError for a schema that bounds nothing.
        """


def check_prompt(prompt: Prompted) -> None:
    """Raise ConfigError unless this is a text, or messages with a role and a text each, none of them empty."""
    if isinstance(prompt, str):
        if not prompt:
            raise ConfigError("prompt", prompt, "a text that is not empty")
        return
    if not prompt:
        raise ConfigError("messages", prompt, "at least one message")
    for index, message in enumerate(prompt):
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, str) or not content or set(message) != {"role", "content"}:
            raise ConfigError(f"messages.{index}", message, "a role and a content that is not empty")
        if message["role"] not in ROLES:
            raise ConfigError(f"messages.{index}.role", message["role"], f"one of {', '.join(ROLES)}")


def read_answer(text: str, schema: type[Answer]) -> Answer:
    """The answer that a model's text holds. Raises: ModelOutputError, which names the field and what is allowed."""
    try:
        return schema.model_validate_json(text.encode("utf-8", "replace"), strict=True)
    except ValidationError as error:
        problem = first_problem(error, schema)
        field = ".".join(str(part) for part in problem.path)
        value = repr(problem.value)
        shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
        said = f"{field} = {shown}, but must be {problem.allowed}" if field else f"must be {problem.allowed}"
        raise ModelOutputError(text, said) from None
