from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ranpilot.envs.aura_paper.config import AuraPaperConfig
from ranpilot.envs.aura_paper.spec import make_spec
from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.heuristics import HEURISTICS
from ranpilot.llm.prompts import Prompt
from ranpilot.systems.aura.advisers import PROMPTS, CachedPolicy, adviser_names, load_prompt, make_adviser


class Model:
    """A model that moves where the agent's coverage is poor and the other station free, and else keeps."""

    name = "hand-made"

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], list[str]]] = []

    def choose(self, prompts, options):
        self.calls.append((list(prompts), list(options)))
        logp = np.full((len(prompts), len(options)), -9.0)
        for row, prompt in enumerate(prompts):
            _, other_capacity, own_coverage, *_ = prompt.split()
            option = " move" if (own_coverage, other_capacity) == ("poor", "free") else " keep"
            logp[row, options.index(option)] = -0.1
        return logp


def test_the_prompt_is_bare_level_words_in_a_fixed_order(hands) -> None:
    assert load_prompt(PROMPTS, "choose", 1).text == (
        "{own_capacity} {other_capacity} {own_coverage} {other_coverage} {own_power} {other_power} ->"
    )
    model = Model()
    CachedPolicy(model).reset(hands.task, 3, 0, None)
    (prompts, options) = model.calls[0]
    assert prompts[0] == "free free good good min low ->"
    assert prompts[-1] == "full full poor poor high max ->"
    assert options == [" up", " down", " keep", " move"]


def test_every_distinct_prompt_is_asked_once_in_one_batch(hands) -> None:
    model = Model()
    CachedPolicy(model).reset(hands.task, 3, 0, None)
    assert len(model.calls) == 1
    prompts = model.calls[0][0]
    # Own and other capacity, coverage and power; the two stations have different words for their power.
    assert len(prompts) == len(set(prompts)) == 2 * (2 * 2 * 3 * 3 * 3 * 2)


def test_aura_paper_has_1152_situations_for_each_station() -> None:
    model = Model()
    adviser = CachedPolicy(model)
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
    adviser = CachedPolicy(model)
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
        CachedPolicy(Model()).reset(lonely, 1, 0, None)


def test_advisers_are_the_heuristics_and_the_embedded_model() -> None:
    assert adviser_names() == sorted([*HEURISTICS.names(), "embedded"])
    assert {"rules", "random", "maintain", "inverted-rules"} <= set(adviser_names())
    with pytest.raises(UnknownNameError, match=r"No adviser is called 'rule'; did you mean 'rules'"):
        make_adviser("rule")
