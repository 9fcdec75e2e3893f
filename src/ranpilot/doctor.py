"""`ranpilot doctor`: what this machine has, what is missing, and the command that gets it.

A check that finds a part missing is a finding, not a crash; the exit status is 1 only where a part is missing that the
twin, the environments and the heuristics cannot do without.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from ranpilot.errors import RanpilotError
from ranpilot.llm import extras, precision, weights
from ranpilot.llm.backends import endpoint
from ranpilot.llm.cache import cache_folder
from ranpilot.runs.files import write_json
from ranpilot.runs.provenance import provenance

__all__ = ["Check", "diagnose", "doctor"]

MIN_PYTHON = (3, 11)
LLM_COMMAND = extras.COMMAND
NEEDED_BYTES = 1_200_000_000  # what the first use of the embedded model writes, twice


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it is well, what was found, what to do (empty where all is well)."""

    name: str
    ok: bool
    found: str
    remedy: str = ""
    required: bool = False


def diagnose() -> list[Check]:
    """Look at everything; takes about three seconds where torch is installed."""
    look: tuple[Callable[[], list[Check]], ...] = (
        _python, _package, _numba, _torch, _bfloat16, _weights, _endpoint, _data, _cache, _extras,
    )  # fmt: skip
    return [check for part in look for check in part()]


def doctor(json: Path | None = None) -> int:
    """Print what was found as a table and, with --json, write it to a file too; 1 where a required part is missing."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    checks = diagnose()
    table = Table("", "part")
    table.add_column("found", overflow="fold")
    table.add_column("what to do", overflow="fold")
    for check in checks:
        mark = "[green]ok[/]" if check.ok else ("[red]missing[/]" if check.required else "[yellow]optional[/]")
        table.add_row(mark, *(escape(text) for text in (check.name, check.found, check.remedy)))
    Console().print(table)
    if json is not None:
        write_json(json, [asdict(check) for check in checks])
    return int(any(check.required and not check.ok for check in checks))


def _python() -> list[Check]:
    wanted = ".".join(map(str, MIN_PYTHON))
    ok = sys.version_info >= MIN_PYTHON
    remedy = "" if ok else f"install Python {wanted} or newer and make a new environment"
    found = f"{platform.python_version()} on {platform.platform()}"
    cpu = f"{precision.cpu_model()}, {os.cpu_count()} cores, {' '.join(precision.cpu_flags()) or 'flags not told'}"
    return [Check("python", ok, found, remedy, required=True), Check("processor", True, cpu)]


def _package() -> list[Check]:
    try:
        found = version("ranpilot")
    except PackageNotFoundError:
        return [Check("ranpilot", False, "runs from its source without being installed", "pip install -e .")]
    return [Check("ranpilot", True, f"{found}, commit {provenance({})['commit'] or 'not known'}")]


def _numba() -> list[Check]:
    try:
        import numba
    except (ImportError, OSError) as error:
        return [Check("numba", False, str(error), "pip install --force-reinstall numba", required=True)]
    return [Check("numba", True, f"{numba.__version__}, {numba.config.NUMBA_NUM_THREADS} threads", required=True)]


def _torch() -> list[Check]:
    if importlib.util.find_spec("torch") is None:
        return [Check("torch", False, "not installed: no learning, no language model", LLM_COMMAND)]
    try:
        import torch
    except (ImportError, OSError) as error:
        return [Check("torch", False, f"does not load: {error}", "pip install --force-reinstall torch==2.13.0")]
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU build"
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU in use"
    return [Check("torch", True, f"{torch.__version__}, {build}, {device}, {torch.get_num_threads()} threads")]


def _bfloat16() -> list[Check]:
    try:
        measured = precision.preferred_precision()
    except (RanpilotError, OSError) as error:
        return [Check("bfloat16", False, f"not measured: {error}")]
    times = f"float32 {measured.float32_ms:.2g} ms, bfloat16 {measured.bfloat16_ms:.2g} ms a layer and 128 tokens"
    return [Check("bfloat16", True, f"{times}: {measured.dtype} is used")]


def _weights() -> list[Check]:
    try:
        path = weights.find_gguf()
        weights.check_gguf(path)
        package = Check("weights package", True, f"{path} (sha256 {weights.GGUF_SHA256[:12]}...)")
    except RanpilotError as error:
        package = Check("weights package", False, *_problem_and_remedy(error))
    try:
        folder = weights.weights_folder(prepare=False)
        if not folder.is_dir():
            cached = Check("weights cache", True, "not made yet; the first use makes it (540 MB, about 8 s)")
        else:
            weights.check_tensors(folder)
            cached = Check("weights cache", True, f"{folder} ({_megabytes(_size(folder))}, hash right)")
    except RanpilotError as error:
        cached = Check("weights cache", False, *_problem_and_remedy(error))
    return [package, cached]


def _endpoint() -> list[Check]:
    """Whether an endpoint is named, without asking it anything; never the key."""
    try:
        return [Check("endpoint", True, endpoint.described())]
    except RanpilotError as error:
        return [Check("endpoint", False, str(error), f"set {endpoint.URL_VARIABLE} and {endpoint.KEY_VARIABLE} anew")]


def _data() -> list[Check]:
    folder = Path(os.environ.get("RANPILOT_DATA") or "data")
    remedy = "set RANPILOT_DATA to the folder that holds the third-party archives; only fits and validation need them"
    if not folder.is_dir():
        return [Check("data folder", False, f"{folder.absolute()} does not exist", remedy)]
    members = [f"{part.name} ({_megabytes(_size(part))})" for part in sorted(folder.iterdir()) if part.is_dir()]
    found = f"{folder.absolute()}: {', '.join(members) or 'empty'}"
    return [Check("data folder", bool(members), found, "" if members else remedy)]


def _cache() -> list[Check]:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        remedy = "make it writable or set XDG_CACHE_HOME to another folder"
        found = f"{folder} cannot be written ({error.strerror or error})"
        return [Check("cache folder", False, found, remedy, required=True)]
    ok = free > NEEDED_BYTES
    remedy = "" if ok else "free some space or set XDG_CACHE_HOME to a folder on another disk"
    found = f"{folder}, holds {_megabytes(_size(folder))}, {_megabytes(free)} free"
    return [Check("cache folder", ok, found, remedy)]


def _extras() -> list[Check]:
    try:
        wanted = requires("ranpilot") or []
    except PackageNotFoundError:
        return []
    members: dict[str, list[str]] = {}
    for requirement in wanted:
        found = re.match(r"""([\w.-]+).*extra == ['"]([\w-]+)['"]""", requirement)
        if found:
            members.setdefault(found[2], []).append(found[1])
    checks = []
    for extra, packages in members.items():
        missing = [package for package in packages if not _is_installed(package)]
        state = f"missing: {', '.join(missing)}" if missing else f"complete ({', '.join(packages)})"
        remedy = f"pip install 'ranpilot[{extra}]'" if missing else ""
        checks.append(Check(f"extra [{extra}]", not missing, state, remedy))
    return checks


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _problem_and_remedy(error: RanpilotError) -> tuple[str, str]:
    problem, _, remedy = str(error).rpartition("; ")
    return (problem, remedy.rstrip(".")) if problem else (str(error), "")


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size < 1e10 else f"{size / 1e9:.0f} GB"
