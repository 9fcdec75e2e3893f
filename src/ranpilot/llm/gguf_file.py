"""Reading a Llama model out of a GGUF file: configuration, tokenizer and weights as Hugging Face names and orders them.

llama.cpp stores the rows of the query and key projections interleaved for its rotary embedding; `unpermute` puts the
halves back. Quantised tensors are expanded to float32, which is exact.
Source: the GGUF specification and convert_hf_to_gguf.py (`LlamaModel.permute`) of llama.cpp; for the tokenizer
llama-vocab.cpp, pre-tokenizer `smollm` (every digit on its own, then GPT-2's pattern).
Differs from source: only byte-level BPE with the `smollm` pre-tokenizer and untied or tied Llama weights are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import BackendError
from ranpilot.llm.extras import require

__all__ = ["GgufFile", "unpermute"]

Weights = NDArray[np.float32]
CONTROL_TOKEN = 3  # GGUF token type of <|im_start|> and its like

TENSORS = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class GgufFile:
    """A GGUF file that has been opened; tensors are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        gguf = require("gguf")
        try:
            self._reader = gguf.GGUFReader(str(path))
        except (ValueError, IndexError, KeyError) as error:
            raise BackendError(f"{path}: is not a readable GGUF file ({error}).") from error
        self._dequantize = gguf.quants.dequantize

    def field(self, name: str) -> Any:
        """The value of a metadata field. Raises: BackendError where the file has none."""
        field = self._reader.get_field(name)
        if field is None:
            raise BackendError(f"{self.path}: the metadata field {name} is missing.")
        return field.contents()

    def config(self) -> dict[str, Any]:
        """The content of a Hugging Face config.json."""
        if self.field("general.architecture") != "llama":
            raise BackendError(f"{self.path}: the architecture is {self.field('general.architecture')}, not llama.")
        names = [tensor.name for tensor in self._reader.tensors]
        heads, hidden = self.field("llama.attention.head_count"), self.field("llama.embedding_length")
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": len(self.field("tokenizer.ggml.tokens")),
            "hidden_size": hidden,
            "intermediate_size": self.field("llama.feed_forward_length"),
            "num_hidden_layers": self.field("llama.block_count"),
            "num_attention_heads": heads,
            "num_key_value_heads": self.field("llama.attention.head_count_kv"),
            "head_dim": hidden // heads,
            "max_position_embeddings": self.field("llama.context_length"),
            "rms_norm_eps": self.field("llama.attention.layer_norm_rms_epsilon"),
            "rope_parameters": {"rope_type": "default", "rope_theta": self.field("llama.rope.freq_base")},
            "tie_word_embeddings": "output.weight" not in names,
            "bos_token_id": self.field("tokenizer.ggml.bos_token_id"),
            "eos_token_id": self.field("tokenizer.ggml.eos_token_id"),
            "pad_token_id": self.field("tokenizer.ggml.padding_token_id"),
            "dtype": "float32",
        }

    def weights(self) -> Iterator[tuple[str, Weights]]:
        """Every tensor as (Hugging Face name, float32 array [out, in])."""
        heads = {
            "attn_q": self.field("llama.attention.head_count"),
            "attn_k": self.field("llama.attention.head_count_kv"),
        }
        for tensor in self._reader.tensors:
            *block, part, kind = tensor.name.split(".")
            if part not in TENSORS or kind != "weight":
                raise BackendError(f"{self.path}: the tensor {tensor.name} is none of a Llama model.")
            values = np.asarray(self._dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
            if part in heads:
                values = unpermute(values, heads[part])
            prefix = f"model.layers.{block[1]}." if block else ""
            yield f"{prefix}{TENSORS[part]}.weight", np.ascontiguousarray(values)

    def tokenizer(self) -> Any:
        """The `tokenizers.Tokenizer` of the file's vocabulary and merges."""
        kind = (self.field("tokenizer.ggml.model"), self.field("tokenizer.ggml.pre"))
        if kind != ("gpt2", "smollm"):
            raise BackendError(f"{self.path}: the tokenizer is {kind}, but only ('gpt2', 'smollm') is read.")
        tokenizers = require("tokenizers")
        tokens = self.field("tokenizer.ggml.tokens")
        merges = [tuple(merge.split(" ")) for merge in self.field("tokenizer.ggml.merges")]
        vocabulary = {token: index for index, token in enumerate(tokens)}
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=merges))
        split = tokenizers.pre_tokenizers
        tokenizer.pre_tokenizer = split.Sequence(
            [split.Digits(individual_digits=True), split.ByteLevel(add_prefix_space=False, use_regex=True)]
        )
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        types = self.field("tokenizer.ggml.token_type")
        control = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL_TOKEN]
        tokenizer.add_special_tokens(control)
        return tokenizer

    def tokenizer_config(self) -> dict[str, Any]:
        """The content of a Hugging Face tokenizer_config.json, so that the folder opens elsewhere too."""
        tokens = self.field("tokenizer.ggml.tokens")
        return {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": tokens[self.field("tokenizer.ggml.bos_token_id")],
            "eos_token": tokens[self.field("tokenizer.ggml.eos_token_id")],
            "pad_token": tokens[self.field("tokenizer.ggml.padding_token_id")],
            "unk_token": tokens[self.field("tokenizer.ggml.unknown_token_id")],
            "model_max_length": self.field("llama.context_length"),
            "clean_up_tokenization_spaces": False,
            "chat_template": self.field("tokenizer.chat_template"),
        }


def unpermute(rows: Weights, num_heads: int) -> Weights:
    """Undo llama.cpp's interleaving of the two rotary halves of every head; rows is [num_heads * head_dim, in]."""
    half = rows.shape[0] // num_heads // 2
    halves: Weights = rows.reshape(num_heads, half, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)
    return halves
