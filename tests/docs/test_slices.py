"""The example of docs/slices.md runs."""

from __future__ import annotations

import re
from pathlib import Path

from ranpilot.twin.scenario_file import load_scenario

PAGE = Path(__file__).parents[2] / "docs" / "slices.md"


def test_the_scenario_and_the_code_of_the_page_run(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (described,) = re.findall(r"```yaml\n(.*?)```", text, re.S)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    path = tmp_path / "two-tenants.yaml"
    path.write_text(described, encoding="utf-8")
    names = {"scenario": load_scenario(path)}
    exec(compile(code, str(PAGE), "exec"), names)
    networks = names["networks"]
    assert networks.slices.num_members.tolist() == [[14, 6]] * 4
    assert (names["kpm"]["RP.RlcSduOnTimeDl.SNSSAI"][..., 1] > 90).all()
