"""Tenants that a scenario takes from a corpus: the rule by hand, splits, a corpus of one's own, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ranpilot import scenarios
from ranpilot.envs.make import make_batch
from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import validate_scenario
from ranpilot.twin.tenants import load_corpus

KINDS = ("trickle", "voice", "page", "video", "many-videos")
FAMILY = {
    "name": "kite-cam",
    "industry": "air",
    "sla": {"delay_budget_ms": 15, "reliability": 0.999, "priority": 3, "served_share": 0.9, "rate_mbps": 3},
    "texts": {"need": "The kite sees us at once.", "casual": "Kite video."},
}


def values(corpus: dict[str, Any] | None = None, **slices: Any) -> dict[str, Any]:
    mix = [{"name": f"{prompt}{kind}", "kind": "poisson"} for kind in KINDS for prompt in ("", "prompt-")]
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 40}
    chosen = {"corpus": corpus} if corpus is not None else {}
    return {
        "name": "worded",
        "carrier": {"frequency_ghz": 2.0, "num_prbs": 24, "prbs_per_group": 4},
        "layout": {"area_m": [-300, -300, 300, 300], "sites": [site]},
        "users": {"population": {"kind": "static", "ues_per_cell": 30}},
        "traffic": {"mix": mix},
        "slices": {"turnover": {"least": 1, "most": 2}, **chosen, **slices},
        "splits": {"heldout": {"slices": {"corpus": {"phrasings": "heldout"}}}} if corpus else {},
    }


def own_corpus(folder: Path, *families: dict[str, Any]) -> str:
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps(family) + "\n" for family in families), encoding="utf-8")
    return str(path)


def test_a_service_becomes_a_tenant_by_the_rule(tmp_path: Path) -> None:
    """3 Mbit/s is nearest to the level `page` by ratio: 20 devices in a place; 15 ms is prompt."""
    corpus = {"file": own_corpus(tmp_path, FAMILY), "rate_factor": 0.1, "share_factor": 0.5}
    slices = validate_scenario(values(corpus)).slices
    assert slices is not None
    tenant = slices.tenants[0]
    assert (tenant.name, tenant.description) == ("kite-cam/need", "The kite sees us at once.")
    assert tenant.sla.model_dump() == {
        "mean_rate_mbps": pytest.approx(6.0),
        "p5_rate_mbps": None,
        "delay_ms": 15.0,
        "reliability": 0.999,
        "served_share": 0.9,
    }
    assert (tenant.traffic, tenant.share, tenant.priority, tenant.sst) == (("prompt-page",), 0.05, 3, 1 + 1)
    assert (tenant.deadline_ms, tenant.target_bler) == (50.0, 0.01)
    assert len(slices.tenants) == 2


def test_a_change_reads_the_corpus_anew_and_the_hash_knows_tenants_and_no_path(tmp_path: Path) -> None:
    scenario = validate_scenario(values({"families": "train", "phrasings": "train"}))
    assert scenario.slices is not None and scenario.heldout.slices is not None
    seen, reworded = ({t.name for t in part.tenants} for part in (scenario.slices, scenario.heldout.slices))
    assert len(seen) == 3 * len(reworded) and not seen & reworded
    assert {name.split("/")[0] for name in seen} == {name.split("/")[0] for name in reworded}
    assert scenario.hash() != scenario.heldout.hash()
    assert Scenario.model_validate(scenario.model_dump(mode="json")) == scenario
    assert "tenants" not in scenario.model_dump()["slices"]
    other = tmp_path / "other"
    other.mkdir()
    first, second = (validate_scenario(values({"file": own_corpus(at, FAMILY)})) for at in (tmp_path, other))
    assert first.hash() == second.hash()
    renamed = validate_scenario(values({"file": own_corpus(other, FAMILY | {"name": "kite"})}))
    assert renamed.hash() != first.hash()


@pytest.mark.parametrize("name", ["oran-slicing", "oran-slicing-large"])
def test_splits_hold_out_services_and_wordings(name: str) -> None:
    scenario = scenarios.load(name)
    told: dict[str, set[str]] = {}
    services: dict[str, set[str]] = {}
    for split in ("train", "validation", "heldout", "reworded"):
        slices = scenario.with_split(split).slices
        assert slices is not None
        told[split] = {tenant.description for tenant in slices.tenants}
        services[split] = {tenant.name.split("/")[0] for tenant in slices.tenants}
        for other in told:
            assert other == split or not told[other] & told[split]
    assert services["reworded"] == services["train"]
    assert not services["train"] & services["validation"] and not services["heldout"] & services["train"]
    assert not services["heldout"] & services["validation"]
    assert len(services["train"]) + len(services["validation"]) + len(services["heldout"]) == len(
        load_corpus().families
    )


def test_agents_read_texts_and_see_no_promise() -> None:
    env = make_batch("oran-slicing", "slicing", 1, 0, split="reworded")
    obs = env.observation
    told = {tenant.text for tenant in load_corpus().tenants("train", "heldout")}
    taken = obs.slice_mask[0, 0]
    assert 3 <= taken.sum() <= 12 and (obs.slice_text_ids[0, 0][taken] >= 0).all()
    assert {obs.texts[text] for text in obs.slice_text_ids[0, 0][taken]} <= told
    assert not {feature.name for feature in env.spec.slice_features} & {"delay", "mean_rate", "priority", "quality"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (values(), "slices.tenants = [], but must be at least one, or a corpus to take them from."),
        (
            values({}, tenants=[{"name": "a", "share": 0.5, "traffic": ["page"]}]),
            "slices.tenants = '1 of them', but must be left out where there is a corpus.",
        ),
        (
            values({"families": "unseen"}),
            "slices.corpus.families = 'unseen', but must be one of train, validation, heldout.",
        ),
        (
            values({"file": "nowhere.jsonl"}),
            "slices.corpus.file = 'nowhere.jsonl', but must be a corpus that can be read",
        ),
        (values({"share_factor": 0.1}), ".share = 0.01"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        validate_scenario(given)
    assert sentence in str(refused.value)


def test_a_wrong_line_and_an_empty_corpus_are_told(tmp_path: Path) -> None:
    wrong = own_corpus(tmp_path, FAMILY | {"sla": FAMILY["sla"] | {"priority": 7}})
    with pytest.raises(ConfigError, match=r"mine.jsonl:1: sla.priority = 7, but must be at most 4"):
        validate_scenario(values({"file": wrong}))
    with pytest.raises(ConfigError, match=r"families = 0, but must be at least 1"):
        validate_scenario(values({"file": own_corpus(tmp_path)}))


def test_a_split_that_a_scenario_has_not_is_named() -> None:
    scenario = scenarios.load("reference")
    assert scenario.with_split("validation").placement_seed_offset not in (0, scenario.heldout.placement_seed_offset)
    with pytest.raises(UnknownNameError, match="No split of scenario 'reference' is called 'reworded'"):
        scenario.with_split("reworded")
