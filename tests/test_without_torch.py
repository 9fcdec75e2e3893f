"""Twin, environments, heuristics and AURA with rules work where torch and transformers are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "gguf", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, Absent())
"""
WORK = """
import ranpilot as rp
from ranpilot.twin import Networks

networks = Networks(rp.scenarios.load("two-cell"), num=1, seed=0)
networks.advance(10)
env = rp.make_vec("two-cell", num_envs=2)
env.reset(seed=0)
env.step(env.action_space.sample())
report = rp.run("aura", "aura-paper", seeds=2, train_episodes=1, test_episodes=1, loads=["normal"], out=sys.argv[1])
print(report.table())
"""
MODEL = """
import ranpilot as rp
from ranpilot.errors import RanpilotError

try:
    rp.llm.load("embedded").choose(["full ->"], [" up", " down"])
except RanpilotError as error:
    print(type(error).__name__, error)
"""


def test_everything_but_the_model_works_without_torch(tmp_path: Path) -> None:
    done = _run(WITHOUT + WORK, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "rules" in done.stdout


def test_the_model_without_torch_says_how_to_get_it(tmp_path: Path) -> None:
    done = _run(WITHOUT + MODEL, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("MissingExtraError")
    assert "pip install 'ranpilot[llm]'" in done.stdout


def _run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(folder / "run")], capture_output=True, text=True, check=False, cwd=folder
    )
