"""What training leaves behind: a folder with a record, a model card and the tensors that change the embedded model.

record.json             what it was made from and for (`AdapterRecord`), with the hash of the tensor file
lora                    adapter_config.json and adapter_model.safetensors, PEFT's own format
full                    layers.safetensors, the trained layers and the final norm under their own names
README.md               the model card

Tensors are bfloat16: half the size, and what is evaluated is what was written.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from ranpilot.errors import BackendError, UnknownNameError
from ranpilot.llm import weights
from ranpilot.llm.extras import require
from ranpilot.validation import as_config_error

__all__ = ["RECORD", "AdapterRecord", "apply_adapter", "find_adapter", "read_record", "shipped", "write_adapter"]

FORMAT = 1  # Raised when an older ranpilot could not read what is written here.
RECORD, CARD = "record.json", "README.md"
TENSOR_FILES = {"lora": "adapter_model.safetensors", "full": "layers.safetensors"}
PEFT_CONFIG = "adapter_config.json"
SHIPPED = Path(__file__).parent / "adapters"
AGAIN = "train it again with `ranpilot llm train`"


class AdapterRecord(BaseModel, frozen=True, extra="forbid"):
    """What an adapter is, what it was trained on and how well it did."""

    format: int = FORMAT
    base_sha256: str
    method: Literal["lora", "full"]
    depth: int
    rank: int | None
    options: tuple[str, ...]
    prompt: dict[str, str | int]
    """Name, version and hash of the prompt it answers."""
    tasks: tuple[dict[str, Any], ...]
    data_hash: str
    steps: int
    seed: int
    settings: dict[str, Any]
    """Every setting of the training."""
    curve: tuple[dict[str, float], ...]
    heldout: tuple[dict[str, Any], ...]
    """Rows of its evaluation on states and wordings that no training saw."""
    tensors_sha256: str = ""

    @property
    def model_hash(self) -> str:
        """Hash of base and adapter together: what decides an answer."""
        decisive = {"base": self.base_sha256, "tensors": self.tensors_sha256, "depth": self.depth}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def shipped() -> list[str]:
    """The adapters that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{RECORD}"))


def find_adapter(name: str | Path) -> Path:
    """The folder of a shipped adapter's name, or of a path. Raises: UnknownNameError, BackendError."""
    if str(name) in shipped():
        return SHIPPED / str(name)
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if len(path.parts) == 1:
        raise UnknownNameError("adapter", str(name), shipped() or ["the folder of one"])
    raise BackendError(f"{path}: there is no such folder; name the folder of an adapter, or {AGAIN}.")


def read_record(folder: Path) -> AdapterRecord:
    """The record of an adapter that fits this ranpilot and its base model. Raises: BackendError."""
    path = folder / RECORD
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BackendError(f"{folder}: is no adapter ({RECORD} is missing); name the folder of one.") from None
    except (OSError, ValueError) as error:
        raise BackendError(f"{path}: is damaged ({error}); {AGAIN}.") from error
    found = content.get("format") if isinstance(content, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise BackendError(f"{path}: has format {found}, but this ranpilot reads up to {FORMAT}; update ranpilot.")
    try:
        record = AdapterRecord.model_validate(content)
    except ValidationError as error:
        reason = str(as_config_error(error, AdapterRecord)).removesuffix(".")
        raise BackendError(f"{path}: is damaged ({reason}); {AGAIN}.") from None
    if record.base_sha256 != weights.GGUF_SHA256:
        problem = f"was trained on another model ({record.base_sha256[:12]}..., not {weights.GGUF_SHA256[:12]}...)"
        raise BackendError(f"{path}: {problem}; {AGAIN} for this one.")
    return record


def apply_adapter(model: Any, folder: Path, record: AdapterRecord) -> None:
    """Change the float32 model, which has the record's depth, into the trained one. Raises: BackendError."""
    tensors = _read_tensors(folder, record)
    torch = require("torch")
    wanted = dict(model.named_parameters())
    try:
        with torch.no_grad():
            if record.method == "lora":
                _merge(wanted, tensors, _scale(folder))
            else:
                for name, tensor in tensors.items():
                    wanted[name].copy_(tensor)
    except (KeyError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BackendError(f"{folder}: its tensors do not fit the model ({reason}); {AGAIN}.") from error


def write_adapter(
    target: Path,
    record: AdapterRecord,
    tensors: Mapping[str, Any],
    *,
    card: str,
    peft_config: Mapping[str, Any] | None = None,
) -> AdapterRecord:
    """Write the folder whole or not at all, in place of an earlier one; the record with the hash of its tensors.

    tensors: by PEFT's names for `lora`, by the model's own for `full`; written as bfloat16. Raises: BackendError.
    """
    torch = require("torch")
    rounded = {name: tensor.detach().cpu().to(torch.bfloat16).contiguous() for name, tensor in tensors.items()}
    data = require("safetensors.torch").save(rounded, metadata={"format": "pt"})
    record = record.model_copy(update={"tensors_sha256": hashlib.sha256(data).hexdigest()})
    files = {TENSOR_FILES[record.method]: data, CARD: card.encode(), RECORD: _json(record.model_dump(mode="json"))}
    if peft_config is not None:
        files[PEFT_CONFIG] = _json(peft_config)
    try:
        _replace_folder(target, files)
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        raise BackendError(f"{target}: {problem}; make room or choose another folder.") from error
    return record


def _replace_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Make `target` a folder of exactly these files; who reads it meanwhile finds the earlier one or this one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
        unfinished, earlier = Path(temporary) / "new", Path(temporary) / "old"
        unfinished.mkdir()
        for name, data in files.items():
            (unfinished / name).write_bytes(data)
        if target.exists():
            target.rename(earlier)
        unfinished.rename(target)


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read_tensors(folder: Path, record: AdapterRecord) -> dict[str, Any]:
    path = folder / TENSOR_FILES[record.method]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BackendError(f"{path}: cannot be read ({error.strerror or error}); {AGAIN}.") from error
    if hashlib.sha256(data).hexdigest() != record.tensors_sha256:
        raise BackendError(f"{path}: is damaged (its hash is not the record's); {AGAIN}.")
    tensors: dict[str, Any] = require("safetensors.torch").load(data)
    return tensors


def _scale(folder: Path) -> float:
    """What the product of the two LoRA factors is multiplied with."""
    try:
        config = json.loads((folder / PEFT_CONFIG).read_text(encoding="utf-8"))
        return float(config["lora_alpha"]) / float(config["r"])
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise BackendError(f"{folder / PEFT_CONFIG}: is damaged ({error}); {AGAIN}.") from error


def _merge(parameters: Mapping[str, Any], tensors: Mapping[str, Any], scale: float) -> None:
    """Add every product B A to the weight that it belongs to."""
    prefix, end = "base_model.model.", ".lora_A.weight"
    for name in sorted(tensors):
        if name.endswith(end):
            module = name.removesuffix(end)
            product = tensors[f"{module}.lora_B.weight"].float() @ tensors[name].float()
            parameters[f"{module.removeprefix(prefix)}.weight"].add_(scale * product)
        elif f"{name.removesuffix('.lora_B.weight')}{end}" not in tensors:
            raise ValueError(f"{name} has no counterpart")
