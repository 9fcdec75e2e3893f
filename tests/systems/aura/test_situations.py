"""Which words a state is put into, and as which row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ranpilot.envs.controller import Environment
from ranpilot.envs.make import make_batch
from ranpilot.heuristics import HEURISTICS
from ranpilot.systems.aura.situations import STATE_WORDS, Situations, choose_prompt


def paper() -> Environment:
    return make_batch("aura-paper", None, 8, 3, load="high")


def two_cell() -> Environment:
    return make_batch("two-cell", None, 8, 3, load="high")


def words_by_hand(env: Environment, network: int, agent: int) -> str:
    """The prompt of version 3, from numbers."""
    obs, spec = env.observation, env.spec
    other = spec.neighbours[agent][0]
    central = dict(zip(spec.state_names, obs.state[network], strict=True))
    names = spec.agents
    requests = round(3 * central[f"{names[agent]}.eligible_requests"])
    places = int(3 * central[f"{names[other]}.free_places"] + 1e-6)
    shares = [central[f"{names[station]}.bad_share"] for station in (agent, other)]
    coverage = ["good" if share < 0.05 else "fair" if share < 0.15 else "poor" for share in shares]
    power = spec.features[0]
    low, high = power.low[agent], power.high[agent]
    dbm = low + float(obs.local[network, agent, 0]) * (high - low)
    strength = power.words[agent][sum(dbm >= edge - 1e-6 for edge in power.edges[agent])]
    due = "now" if central[f"{names[agent]}.oldest_due"] else "later"
    said = (("none", "one", "few", "many")[requests], due, ("full", "one", "few", "free")[places])
    return " ".join((*said, *coverage, strength, "->"))


@pytest.mark.parametrize("make", [paper, two_cell])
def test_a_running_network_is_put_into_the_words_that_its_numbers_have(make) -> None:  # type: ignore[no-untyped-def]
    env = make()
    rules = HEURISTICS.load("rules")()
    rules.reset(env.spec, 8, 0, None)
    situations = Situations(env.spec)
    said = set()
    for _ in range(min(env.spec.episode_steps, 50) - 1):
        rows = situations.read(env.observation)
        for network, agent in np.ndindex(8, 2):
            text = situations.text(agent, int(rows[network, agent]))
            assert text == words_by_hand(env, network, agent)
            said.add(text)
        env.step(rules.act(env.observation))
    assert len(said) > 25
    columns = [{text.split()[word] for text in said} for word in range(3)]
    assert columns[0] >= {"none", "one", "few"} and columns[1] == {"later", "now"} and len(columns[2]) > 1


@pytest.mark.parametrize("version", [1, 2, 3])
def test_rows_count_through_the_levels_and_texts_are_their_prompts(version: int) -> None:
    env = paper()
    situations = Situations(env.spec, choose_prompt(version))
    for agent in range(2):
        assert len(set(situations.texts(agent))) == situations.rows[agent]
        assert situations.text(agent, 0) == next(situations.texts(agent))


def test_a_value_on_an_edge_belongs_to_the_level_above_also_as_float32() -> None:
    env = paper()
    obs = env.observation
    situations = Situations(env.spec)
    for number, word in enumerate(STATE_WORDS[0].words):
        state = np.full_like(obs.state, np.float32(number) / np.float32(3), dtype=np.float32)
        text = situations.text(0, int(situations.read(replace(obs, state=state))[0, 0]))
        assert text.split()[0] == word


def test_words_of_the_central_state_are_different_and_as_many_as_levels() -> None:
    for word in STATE_WORDS:
        assert len(word.words) == len(set(word.words)) == len(word.edges) + 1
        assert list(word.edges) == sorted(word.edges)
