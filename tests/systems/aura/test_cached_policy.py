from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.aura_paper.config import AuraPaperConfig
from ranpilot.envs.aura_paper.spec import make_spec
from ranpilot.errors import ActionError, CheckpointError, ConfigError, UnknownNameError
from ranpilot.llm.prompts import Prompt
from ranpilot.systems.aura.advisers import PROMPTS, CachedPolicy, load_prompt

WORDS_ONLY = load_prompt(PROMPTS, "choose", 2)
"""The toy has no central state, which version 3 reads."""


class Model:
    """A model that moves where coverage is poor and the other station free, else keeps; for a crowd it goes up."""

    name = "hand-made"
    model_hash = "abc"

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], list[str]]] = []

    def choose(self, prompts, options):
        self.calls.append((list(prompts), list(options)))
        logp = np.full((len(prompts), len(options)), -9.0)
        for row, prompt in enumerate(prompts):
            notice, _, words = prompt.rpartition("\n")
            _, other_capacity, own_coverage, *_ = words.split()
            option = " move" if (own_coverage, other_capacity) == ("poor", "free") else " keep"
            option = " up" if "crowd" in notice else option
            logp[row, options.index(option)] = -0.1
        return logp


def test_the_prompt_is_bare_level_words_in_a_fixed_order(hands) -> None:
    assert load_prompt(PROMPTS, "choose", 1).text == (
        "{own_capacity} {other_capacity} {own_coverage} {other_coverage} {own_power} {other_power} ->"
    )
    model = Model()
    CachedPolicy(model, WORDS_ONLY).reset(hands.task, 3, 0, None)
    (prompts, options) = model.calls[0]
    assert prompts[0] == "free free good good min low ->"
    assert prompts[-1] == "full full poor poor high max ->"
    assert options == [" up", " down", " keep", " move"]


def test_every_distinct_prompt_is_asked_once_in_one_batch(hands) -> None:
    model = Model()
    CachedPolicy(model, WORDS_ONLY).reset(hands.task, 3, 0, None)
    assert len(model.calls) == 1
    prompts = model.calls[0][0]
    # Own and other capacity, coverage and power; the two stations have different words for their power.
    assert len(prompts) == len(set(prompts)) == 2 * (2 * 2 * 3 * 3 * 3 * 2)


def test_aura_paper_has_1152_situations_for_each_station_in_the_words_of_features() -> None:
    model = Model()
    adviser = CachedPolicy(model, WORDS_ONLY)
    adviser.reset(make_spec(AuraPaperConfig()), 1, 0, None)
    prompts = model.calls[0][0]
    assert adviser.table.shape == (2, 1152)
    # The rural station's four power words are among the urban one's eight: some situations read the same.
    assert len(prompts) == 2 * 1152 - 4 * 4 * 2 * 2 * 3 * 3
    assert prompts[0] == "free free good good lowest lowest ->"
    assert prompts[1151] == "full full poor poor highest highest ->"
    assert all(len(prompt.split()) == 7 for prompt in prompts)


def test_the_table_answers_as_the_model_would(hands) -> None:
    model, num = Model(), 300
    adviser = CachedPolicy(model, WORDS_ONLY)
    adviser.reset(hands.task, num, 0, None)
    toy = hands.Toy(num)
    local = toy.observation.local
    poor, other_free = local[:, :, 1] > 0.8, local[:, ::-1, 2] < 0.5
    np.testing.assert_array_equal(adviser.act(toy.observation), np.where(poor & other_free, 3, 2))
    assert len(model.calls) == 1
    assert adviser.answers["full free poor good min low ->"] == "move"


def test_drops_of_the_last_step_are_not_in_the_prompt(hands) -> None:
    assert not any("drops" in field for field in load_prompt(PROMPTS, "choose", 1).fields)


def test_a_station_among_many_sees_its_nearest_neighbour(hands) -> None:
    features = tuple(
        replace(
            f,
            edges=(*f.edges, f.edges[1]),
            words=(*f.words, tuple(f"third-{word}" for word in f.words[1])),
            low=(0.0,) * 3,
            high=(f.high[0],) * 3,
        )
        for f in hands.task.features
    )
    task = replace(hands.task, agents=("a", "b", "c"), features=features, neighbours=((2, 1), (0, 2), (0, 1)))
    model = Model()
    CachedPolicy(model, Prompt("pair", 1, "{own_capacity} {other_capacity} {own_coverage} ->")).reset(task, 1, 0, None)
    prompts = model.calls[0][0]
    assert prompts[0] == "free third-free good ->"
    assert "third-free free third-good ->" in prompts


def test_a_prompt_that_does_not_fit_the_task_is_refused_in_one_sentence(hands) -> None:
    weather = CachedPolicy(Model(), Prompt("weather", 1, "{own_weather} ->"))
    with pytest.raises(ConfigError, match=r"prompt field = 'own_weather', but must be one of own_power, own_coverage"):
        weather.reset(hands.task, 1, 0, None)
    lonely = replace(hands.task, neighbours=((), (0,)))
    with pytest.raises(ConfigError, match="own_… fields alone, since 'rural' of toy has no neighbour"):
        CachedPolicy(Model(), WORDS_ONLY).reset(lonely, 1, 0, None)
    sentence = r"prompt field = 'own_requests', but must be a feature of the task, since toy has no "
    with pytest.raises(ConfigError, match=sentence + r"'rural.eligible_requests' in its central state\."):
        CachedPolicy(Model()).reset(hands.task, 1, 0, None)
    with pytest.raises(ConfigError, match="prompt = 'up or down ->', but must be one with a field such as own_power"):
        CachedPolicy(Model(), Prompt("bare", 1, "up or down ->")).reset(hands.task, 1, 0, None)


CROWD, CHATTER = "a crowd gathers at gate C", "the canteen has soup"
UP, KEEP = 0, 2


def look(hands, notice_ids, slot: int, *, texts=(CROWD, CHATTER), local=None):
    """An observation in which these announcements stand; coverage is good unless `local` says otherwise."""
    ids = np.atleast_2d(notice_ids)
    num = len(ids)
    obs = hands.Toy(num).observation
    local = np.zeros((num, 2, 4)) if local is None else local
    slots = np.full(num, slot)
    return replace(obs, local=local, slot=slots, first=slots == 0, notice_ids=ids, texts=texts)


def begin(hands, *, num: int = 1, latency_s: float = 0.0) -> tuple[CachedPolicy, Model]:
    model = Model()
    adviser = CachedPolicy(model, WORDS_ONLY, notice_latency_s=latency_s)
    adviser.reset(hands.task, num, 0, None)
    return adviser, model


def test_new_pairs_of_announcement_and_situation_are_asked_in_one_batch_and_once(hands) -> None:
    adviser, model = begin(hands, num=2)
    local = np.zeros((2, 2, 4))
    local[1, 0, 1] = 0.5
    obs = look(hands, [[0, -1], [0, 1]], 0, local=local)
    np.testing.assert_array_equal(adviser.act(obs), [[UP, KEEP], [UP, KEEP]])
    assert [len(prompts) for prompts, _ in model.calls[1:]] == [3]
    assert model.calls[1][0][0] == f"Event: {CROWD}\nfree free good good min low ->"
    adviser.act(obs)
    assert len(model.calls) == 2
    adviser.act(look(hands, [[0, -1], [0, 0]], 1, local=local))
    assert model.calls[2][0] == [f"Event: {CROWD}\nfree free good fair low min ->"]


def test_without_announcements_the_answers_and_questions_are_those_of_the_first_version(hands) -> None:
    plain, listener = Model(), Model()
    CachedPolicy(plain, load_prompt(PROMPTS, "choose", 1)).reset(hands.task, 1, 0, None)
    adviser = CachedPolicy(listener, WORDS_ONLY)
    adviser.reset(hands.task, 1, 0, None)
    assert plain.calls == listener.calls
    adviser.act(look(hands, [[-1, -1]], 0))
    adviser.act(replace(look(hands, [[-1, -1]], 1), notice_ids=np.empty((1, 0), dtype=np.int64)))
    assert len(listener.calls) == 1


def test_a_notice_counts_as_absent_until_one_latency_after_it_came(hands) -> None:
    adviser, model = begin(hands, latency_s=2.0)
    ids = [-1, -1, 0, 0, 0, 0, 1, 1, 1, -1]
    found = [int(adviser.act(look(hands, [[number, -1]], slot))[0, 0]) for slot, number in enumerate(ids)]
    assert found == [KEEP, KEEP, KEEP, KEEP, UP, UP, KEEP, KEEP, KEEP, KEEP]
    asked = [prompts[0].split("\n")[0] for prompts, _ in model.calls[1:]]
    assert asked == [f"Event: {CROWD}", f"Event: {CHATTER}"]
    # A new episode: the announcement that stands there has just come.
    found = [int(adviser.act(look(hands, [[0, -1]], slot))[0, 0]) for slot in range(3)]
    assert found == [KEEP, KEEP, UP]


def test_announcements_are_known_by_their_text_and_not_by_their_id(hands) -> None:
    adviser, _ = begin(hands, latency_s=1.0)
    assert adviser.act(look(hands, [[0, -1]], 0))[0, 0] == KEEP
    # Another environment gives the same text another id: it has not come anew.
    assert adviser.act(look(hands, [[1, -1]], 1, texts=(CHATTER, CROWD)))[0, 0] == UP
    assert adviser.act(look(hands, [[0, -1]], 2, texts=(CHATTER, CROWD)))[0, 0] == KEEP


def test_a_policy_that_was_saved_goes_on_with_the_age_of_what_stands(hands, tmp_path: Path) -> None:
    straight, _ = begin(hands, num=2, latency_s=3.0)
    for slot in range(3):
        straight.act(look(hands, [[0, -1], [1, 0]], slot))
    straight.save(tmp_path)
    resumed, _ = begin(hands, num=2, latency_s=3.0)
    resumed.load(tmp_path)
    for slot in range(3, 6):
        obs = look(hands, [[0, -1], [1, 0]], slot, texts=(CROWD, CHATTER))
        np.testing.assert_array_equal(resumed.act(obs), straight.act(obs))
    assert resumed.act(look(hands, [[0, -1], [1, 0]], 6))[0, 0] == UP
    with pytest.raises(CheckpointError, match="has num_networks = 2 where this controller has 1"):
        begin(hands)[0].load(tmp_path)


def test_a_prompt_without_a_notice_ignores_announcements(hands) -> None:
    model = Model()
    adviser = CachedPolicy(model, load_prompt(PROMPTS, "choose", 1), notice_latency_s=0.0)
    adviser.reset(hands.task, 1, 0, None)
    assert adviser.act(look(hands, [[0, 0]], 0))[0, 0] == KEEP
    assert len(model.calls) == 1


def test_announcements_that_do_not_fit_the_agents_are_refused(hands) -> None:
    adviser, _ = begin(hands)
    with pytest.raises(ActionError, match=r"notice_ids of the observation: shape = \(1, 3\), but must be \(1, 2\)"):
        adviser.act(look(hands, [[0, 0, 0]], 0))
    with pytest.raises(ConfigError, match=r"adviser.notice_latency_s = -1.0, but must be at least 0"):
        CachedPolicy(Model(), notice_latency_s=-1.0)


def test_the_newest_prompt_says_requests_and_places_and_is_the_default() -> None:
    task = make_spec(AuraPaperConfig())
    model = Model()
    adviser = CachedPolicy(model)
    adviser.reset(task, 1, 0, None)
    assert len(model.calls) == 1
    prompts = model.calls[0][0]
    assert adviser.table.shape == (2, 2304)
    # The rural station's power words are among the urban one's.
    assert len(prompts) == 2304
    assert prompts[0] == "none later full good good lowest ->"
    assert prompts[1151] == "many now free poor poor highest ->"


@dataclass(frozen=True)
class Record:
    prompt: dict[str, str | int]


def trained_with(version: int, /, **changes: str | int) -> Model:
    """A model whose adapter says that it was trained with that version."""
    prompt = load_prompt(PROMPTS, "choose", version)
    model = Model()
    model.record = Record({"name": prompt.name, "version": version, "hash": prompt.hash} | changes)  # type: ignore[attr-defined]
    return model


def test_an_adapter_is_asked_in_the_version_that_it_was_trained_with() -> None:
    task = make_spec(AuraPaperConfig())
    for version, first in ((1, "free free good good lowest lowest ->"), (3, "none later full good good lowest ->")):
        model = trained_with(version)
        CachedPolicy(model).reset(task, 1, 0, None)
        assert model.calls[0][0][0] == first
    with pytest.raises(UnknownNameError, match=r"No prompt is called 'choose.v9'"):
        CachedPolicy(trained_with(2, version=9))
    with pytest.raises(ConfigError, match=r"adapter's prompt: hash = 'other', but must be [0-9a-f]{16}, as in"):
        CachedPolicy(trained_with(2, hash="other"))
    untrained = Model()
    untrained.record = None  # type: ignore[attr-defined]
    CachedPolicy(untrained).reset(task, 1, 0, None)
    assert untrained.calls[0][0][0] == "none later full good good lowest ->"
