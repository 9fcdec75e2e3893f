"""Writing under a schema: a grammar says which tokens may follow, and the likeliest of those is taken.

llguidance follows the text along the JSON schema and gives, for every position, the tokens that keep the answer valid.
Where only one continuation exists (a key, a brace) it is written without asking the model. The text is compact JSON:
no blanks, keys in the order of the class. The end token is taken where the grammar lets the answer end.
The mask keeps the form; what only pydantic knows (a rule over two fields) is checked at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ranpilot.errors import ConfigError, ModelOutputError
from ranpilot.llm.extras import require
from ranpilot.llm.generator import Answer, Prompted, Sampling, check_prompt, read_answer
from ranpilot.llm.schema import bounded_schema

__all__ = ["Decoder", "chat_ids"]

# What the template of SmolLM2-Instruct says where the conversation does not begin with a system message.
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


class Decoder:
    """A causal model of transformers with its tokenizer; `answers` and `refused` count what it wrote."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._torch, self._guidance = require("torch"), require("llguidance")
        self._model, self._tokenizer = model, tokenizer
        self._end_token = int(model.config.eos_token_id)
        self._vocabulary = self._guidance.LLTokenizer(
            tokenizer.to_str(), n_vocab=model.config.vocab_size, eos_token=self._end_token
        )
        self.answers = self.refused = 0

    def generate(self, prompt: Prompted, schema: type[Answer], sampling: Sampling) -> Answer:
        """An answer as a valid `schema`; a text is continued as it stands, messages are put into the chat template.

        Raises: ModelOutputError for an answer that does not end or that the schema refuses (counted); ConfigError for
        a schema without bounds or a prompt without room for `max_tokens` after it.
        """
        check_prompt(prompt)
        matcher = self._matcher(schema)
        ids = self._tokenizer.encode(prompt).ids if isinstance(prompt, str) else chat_ids(self._tokenizer, prompt)
        limit = self._model.config.max_position_embeddings
        if len(ids) + sampling.max_tokens > limit:
            allowed = f"at most {limit} tokens with its answer (it has {len(ids)} and {sampling.max_tokens})"
            raise ConfigError("prompt", f"{str(prompt)[:40]}...", allowed)
        try:
            answer = read_answer(self._write(ids, matcher, sampling), schema)
        except ModelOutputError:
            self.refused += 1
            raise
        self.answers += 1
        return answer

    def _matcher(self, schema: type[Answer]) -> Any:
        matchers = self._guidance.LLMatcher
        grammar = matchers.grammar_from_json_schema(bounded_schema(schema), overrides={"whitespace_flexible": False})
        matcher = matchers(self._vocabulary, grammar, log_level=0)
        if matcher.is_error():
            problem = matcher.get_error().splitlines()[0]
            raise ConfigError("schema", schema.__name__, f"one that a grammar can express ({problem})")
        return matcher

    def _write(self, prompt_ids: list[int], matcher: Any, sampling: Sampling) -> str:
        """The text that the grammar and the model agree on, one forward pass for each token that is not forced."""
        random = self._torch.Generator().manual_seed(sampling.seed)
        unread, written, cache = list(prompt_ids), list[int](), None
        while not matcher.is_stopped():
            if len(written) >= sampling.max_tokens:
                text = self._tokenizer.decode(written, skip_special_tokens=False)
                raise ModelOutputError(text, f"is not complete after {sampling.max_tokens} tokens")
            tokens = matcher.compute_ff_tokens()
            if not tokens:
                logits, cache = self._forward(unread, cache)
                unread = []
                tokens = [self._pick(logits, matcher.compute_bitmask(), sampling.temperature, random)]
                if tokens[0] == self._end_token:
                    break
            matcher.consume_tokens(tokens)
            if matcher.is_error():
                raise ModelOutputError(self._tokenizer.decode(written), f"left the grammar ({matcher.get_error()})")
            written += tokens
            unread += tokens
        return str(self._tokenizer.decode(written, skip_special_tokens=False))

    def _forward(self, ids: list[int], cache: Any) -> tuple[Any, Any]:
        """Logits [vocabulary] after the last of `ids`, and the keys and values of everything read so far."""
        torch = self._torch
        with torch.inference_mode():
            rows = torch.tensor([ids], device=self._model.device)
            out = self._model(rows, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return out.logits[0, -1].double().cpu(), out.past_key_values

    def _pick(self, logits: Any, bitmask: bytes, temperature: float, random: Any) -> int:
        bits = np.unpackbits(np.frombuffer(bitmask, dtype=np.uint8), bitorder="little")[: len(logits)]
        scores = logits.masked_fill(self._torch.from_numpy(bits) == 0, -self._torch.inf)
        if temperature == 0:
            return int(scores.argmax())
        chances = self._torch.softmax(scores / temperature, dim=-1)
        return int(self._torch.multinomial(chances, 1, generator=random))


def chat_ids(tokenizer: Any, messages: Prompted) -> list[int]:
    """Token ids of a conversation in SmolLM2-Instruct's template (ChatML), up to where the answer begins.

    A marker such as <|im_end|> inside a message is read as letters, so that no message can end itself.
    """
    begin, end = tokenizer.token_to_id("<|im_start|>"), tokenizer.token_to_id("<|im_end|>")
    turns = [(message["role"], message["content"]) for message in messages if not isinstance(message, str)]
    if turns[0][0] != "system":
        turns.insert(0, ("system", SYSTEM))
    newline, ids = _letters(tokenizer, "\n"), list[int]()
    for role, content in turns:
        ids += [begin, *_letters(tokenizer, f"{role}\n{content}"), end, *newline]
    return [*ids, begin, *_letters(tokenizer, "assistant\n")]


def _letters(tokenizer: Any, text: str) -> list[int]:
    before = tokenizer.encode_special_tokens
    tokenizer.encode_special_tokens = True
    try:
        return list(tokenizer.encode(text).ids)
    finally:
        tokenizer.encode_special_tokens = before
