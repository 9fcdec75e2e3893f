"""Task `slicing`: shares, promises and reward by hand, and what every environment promises."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from ranpilot.envs.controller import Observation
from ranpilot.envs.make import make_batch
from ranpilot.envs.tasks._promises import Promises, quality
from ranpilot.envs.tasks.slicing import REWARD_TERMS, VARIANTS, Slicing
from ranpilot.envs.views import ParallelView, SingleView, make, make_vec
from ranpilot.errors import ActionError, CheckpointError, ConfigError, UnknownNameError
from ranpilot.twin import kpm, slice_columns

from .shared_slices import NUM, VALUES, actions, shared


def made(variant: str | None = None, num: int = NUM, first: int = 0) -> Slicing:
    environment = make_batch(shared(), "slicing", num, 7, variant=variant, first_network=first)
    assert isinstance(environment, Slicing)
    return environment


def same(first: Observation, second: Observation) -> bool:
    return all(np.array_equal(getattr(first, field.name), getattr(second, field.name)) for field in fields(Observation))


@pytest.mark.parametrize("variant", VARIANTS)
def test_observations_and_outcomes_have_the_shapes_they_promise(variant: str) -> None:
    environment = made(variant)
    spec = environment.spec
    assert (spec.num_agents, spec.num_slices, spec.action_size, spec.actions) == (2, 3, 3, ())
    for action in actions(3):
        outcome = environment.step(action)
        obs = environment.observation
        assert obs.local.shape == (NUM, 2, len(spec.features))
        assert obs.slices.shape == (NUM, 2, 3, len(spec.slice_features))
        assert obs.slice_mask.shape == obs.slice_text_ids.shape == (NUM, 2, 3)
        for array in (obs.local, obs.slices, obs.state):
            assert ((array >= 0.0) & (array <= 1.0)).all()
        assert (obs.slices[~obs.slice_mask] == 0.0).all() and (obs.slice_text_ids[~obs.slice_mask] == -1).all()
        assert outcome.terms.shape == (NUM, 2, len(REWARD_TERMS))
        np.testing.assert_allclose(outcome.reward, outcome.terms.sum(axis=2))
        assert (outcome.terms[..., 0] >= 0.0).all() and (outcome.terms[..., 1:] <= 0.0).all()


def test_texts_are_those_of_the_tenants_that_are_there() -> None:
    environment = made()
    obs, tenant = environment.observation, environment.networks.slices.tenant
    assert obs.texts == ("Films.", "Late.", "Later.")
    expected = np.array([0, -1, 1, 2])[np.maximum(tenant, 0)]
    np.testing.assert_array_equal(obs.slice_text_ids[:, 0], np.where(tenant >= 0, expected, -1))
    np.testing.assert_array_equal(obs.slice_text_ids[:, 0], obs.slice_text_ids[:, 1])


def test_a_softmax_over_the_taken_seats_is_what_slices_get_at_least() -> None:
    environment = made()
    action = actions(1)[0]
    is_taken = environment.observation.slice_mask
    environment.step(action)
    weight = np.exp(3.0 * action) * is_taken
    expected = weight / weight.sum(axis=2, keepdims=True)
    slices = environment.networks.slices
    np.testing.assert_allclose(slices.min_ratio[is_taken] / 100.0, expected[is_taken])
    assert (slices.max_ratio[is_taken] == 100.0).all()


def test_hard_shares_are_maxima_too_and_blocks_beyond_everything_cost() -> None:
    hard = made("intent-hard")
    hard.step(actions(1)[0])
    is_taken = hard.observation.slice_mask
    np.testing.assert_allclose(hard.networks.slices.min_ratio[is_taken], hard.networks.slices.max_ratio[is_taken])
    blocks = made("intent-rb")
    num_taken = blocks.observation.slice_mask.sum(axis=2)
    outcome = blocks.step(np.full((NUM, 2, 3), 1.0))
    np.testing.assert_allclose(outcome.terms[..., REWARD_TERMS.index("excess")], -np.maximum(num_taken - 1.0, 0.0))
    assert (made("intent-rb").step(np.full((NUM, 2, 3), -0.9)).terms[..., 3] == 0.0).all()


def test_a_change_of_shares_costs_and_the_first_and_the_same_do_not() -> None:
    environment, churn = made(), REWARD_TERMS.index("churn")
    action = actions(1)[0]
    assert (environment.step(action).terms[..., churn] == 0.0).all()
    before = environment.networks.slices.tenant
    again = environment.step(action)
    stays = (environment.networks.slices.tenant == before).all(axis=1)
    np.testing.assert_allclose(again.terms[stays, :, churn], 0.0, atol=1e-12)
    taken, share = environment.observation.slice_mask, environment._share.copy()
    other = environment.step(-action)
    moved = np.abs(environment._share - share)[taken.all(axis=2)].sum(axis=-1)
    np.testing.assert_allclose(other.terms[..., churn][taken.all(axis=2)], -0.02 * moved)
    assert other.terms[..., churn].min() < -0.005


def test_quality_is_the_least_of_measured_over_required() -> None:
    """One slice with all four parts: rates 2 and 1.5 of 1, delay 4 ms of 8 at 0.9, all of 90 % served."""
    promises = Promises(*(np.array([value]) for value in (1000.0, 1000.0, 8.0, 0.9, 0.9, 2.0)))
    measured = {
        kpm.SLICE_THROUGHPUT.name: np.array([[[2000.0, 0.0]]]),
        kpm.SLICE_THROUGHPUT_P5.name: np.array([[[1500.0, 0.0]]]),
    }
    counted = np.zeros((1, 1, 2, slice_columns.NUM_SLICE_COUNTERS), np.int64)
    counted[..., 0, slice_columns.SLICE_BUSY_SLOTS] = 5
    counted[..., 0, slice_columns.SLICE_PACKETS_OUT] = 10
    delays = np.zeros((1, 1, 2, 4), np.int64)
    delays[0, 0, 0] = [3, 6, 1, 0]
    edges_ms = np.array([2.0, 4.0, 16.0, 32.0])
    tenant = np.array([[0, -1]])
    found = quality(promises, tenant, measured, counted, delays, edges_ms)
    np.testing.assert_allclose(found[0, 0, 0], 1.5)
    assert np.isnan(found[0, 0, 1])
    # Nine of eleven arrived within 4 ms: nine tenths only within 16.
    counted[..., 0, slice_columns.SLICE_PACKETS_DROPPED] = 1
    np.testing.assert_allclose(quality(promises, tenant, measured, counted, delays, edges_ms)[0, 0, 0], 8.0 / 16.0)
    # A twentieth may be left out, and one of eleven is.
    strict = promises._replace(delay_ms=np.array([32.0]), served_share=np.array([0.95]))
    np.testing.assert_allclose(quality(strict, tenant, measured, counted, delays, edges_ms)[0, 0, 0], 0.05 * 11)
    # Two tenths are lost, so no delay holds for nine tenths.
    counted[..., 0, slice_columns.SLICE_PACKETS_DROPPED] = 3
    assert quality(promises, tenant, measured, counted, delays, edges_ms)[0, 0, 0] == 0.0


def test_the_reward_weighs_slices_by_priority() -> None:
    environment = made("numeric_sla")
    environment.step(actions(1)[0])
    environment._quality = np.full((NUM, 2, 3), np.nan)
    environment._quality[:, :, 0] = 1.0
    terms = environment._reward(np.zeros((NUM, 2)), np.zeros((NUM, 2))).terms
    np.testing.assert_allclose(terms[..., :2], [[[0.5, 0.0]] * 2] * NUM)
    environment._quality[:, :, 0] = np.nan
    np.testing.assert_allclose(
        environment._reward(np.zeros((NUM, 2)), np.zeros((NUM, 2))).terms[..., :2], [[[1.0, 0.0]] * 2] * NUM
    )


def test_a_network_is_the_same_in_any_batch_and_goes_on_exactly_from_a_snapshot() -> None:
    batch, alone = made(), made(num=1, first=1)
    steps = actions(15)
    for action in steps[:10]:
        together, single = batch.step(action), alone.step(action[1:2])
        np.testing.assert_array_equal(together.terms[1], single.terms[0])
    kept = batch.snapshot()
    other = made()
    other.restore(kept)
    assert same(other.observation, batch.observation)
    for action in steps[10:]:
        np.testing.assert_array_equal(batch.step(action).terms, other.step(action).terms)
    assert batch.observation.episode.tolist() == [1] * NUM
    with pytest.raises(CheckpointError, match="it belongs to another environment"):
        made("intent-hard").restore(kept)


def test_rolls_try_actions_on_forks_and_leave_the_networks_alone() -> None:
    environment = made()
    environment.step(actions(1)[0])
    before = environment.networks.fingerprint()
    options = np.stack([actions(1)[0], -actions(1)[0]], axis=2)  # [B, A, n, S]
    reward = environment.what_if.roll(options, 2, 3)
    assert reward.shape == (NUM, 2, 3)
    assert environment.networks.fingerprint() == before
    with pytest.raises(ActionError, match=r"shape = \(3, 2, 2\), but must be \(3, 2, n, 3\) with n at least 1"):
        environment.what_if.roll(options[..., 0], 1, 1)


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (np.zeros((NUM, 2)), "action: shape = (3, 2), but must be (3, 2, 3)."),
        (np.full((NUM, 2, 3), np.nan), "action: network 0, a, seat 0 = nan, but must be within [-1, 1]."),
        (np.full((NUM, 2, 3), 1.5), "action: network 0, a, seat 0 = 1.5, but must be within [-1, 1]."),
    ],
)
def test_actions_that_cannot_be_are_refused_and_nothing_moves(action: np.ndarray, sentence: str) -> None:
    environment = made()
    before = environment.networks.fingerprint()
    with pytest.raises(ActionError) as refused:
        environment.step(action)
    assert str(refused.value) == sentence
    assert environment.networks.fingerprint() == before


def test_scenarios_and_variants_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="slices = None, but must be given in scenario 'shared' for task 'slicing'"):
        make_batch(shared(slices=None, traffic={"mix": VALUES["traffic"]["mix"][:1]}), "slicing", 1, 0)
    bare = {"tenants": [{"name": "a", "share": 1.0, "traffic": ["web", "commands"]}]}
    with pytest.raises(ConfigError, match=r"slices.tenants\[a\].sla = {}, but must be at least one of"):
        make_batch(shared(slices=bare), "slicing", 1, 0)
    with pytest.raises(UnknownNameError, match="numeric_sla"):
        make_batch(shared(), "slicing", 1, 0, variant="numeric")


def test_the_vector_view_is_as_many_single_ones() -> None:
    scenario = shared()
    vector = make_vec(scenario, "slicing", NUM, seed=7)
    singles = [make(scenario, "slicing", seed=7, network=network) for network in range(NUM)]
    seen, info = vector.reset()
    assert vector.observation_space.contains(seen)
    assert info["slice_text_ids"].shape == (NUM, 2, 3)
    for single in singles:
        assert isinstance(single, SingleView)
        single.reset()
    for action in actions(3):
        seen, reward, *_ = vector.step(action)
        for network, single in enumerate(singles):
            assert isinstance(single, SingleView)
            alone, alone_reward, *_, told = single.step(action[network])
            assert single.observation_space.contains(alone)
            assert reward[network] == alone_reward and told["slice_text_ids"].shape == (2, 3)
            for name in ("features", "slices", "slice_mask"):
                np.testing.assert_array_equal(seen[name][network], alone[name])


def test_gymnasium_and_pettingzoo_find_nothing_wrong() -> None:
    single = make(shared(), "slicing", seed=7)
    check_env(single, skip_render_check=True)
    parallel_api_test(make(shared(), "slicing", seed=7, view="parallel"), num_cycles=30)


def test_an_agent_of_the_parallel_view_sees_its_cell_and_hears_its_tenants() -> None:
    parallel = make(shared(), "slicing", seed=7, view="parallel", render_mode="ansi")
    assert isinstance(parallel, ParallelView)
    seen, info = parallel.reset()
    assert {name: part.shape for name, part in seen["a"].items()} == {
        "features": (3,),
        "slices": (3, len(parallel.environment.spec.slice_features)),
        "slice_mask": (3,),
    }
    obs = parallel.environment.observation
    texts = [obs.texts[text] if text >= 0 else None for text in obs.slice_text_ids[0, 0]]
    assert info["a"]["slice_texts"] == tuple(texts)
    assert "slicing on shared" in str(parallel.render())
