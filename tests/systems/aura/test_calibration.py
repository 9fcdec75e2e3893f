"""Does trust say what it is worth? The probe that finds out."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.systems.aura import AuraConfig
from ranpilot.systems.aura.calibration import CalibrationProbe
from ranpilot.systems.aura.controller import Aura


def begin(hands, adviser, *, what_if: bool = True, num: int = 6, **settings):
    controller, toy = Aura(AuraConfig(**settings), adviser), hands.Toy(num)
    controller.reset(hands.task, num, 11, toy if what_if else None)
    return controller, toy


def test_wins_are_counted_in_ten_equal_bins_of_trust_and_ties_left_out() -> None:
    probe = CalibrationProbe(AuraConfig())
    trust = np.array([0.0, 0.05, 0.1, 0.55, 1.0, 0.95, 0.5])
    gain = np.array([1.0, -1.0, -2.0, 0.5, 3.0, -1.0, 1e-12])
    probe.enter(trust, gain)
    count, total, wins = probe.take()
    assert count.tolist() == [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]
    assert total.tolist() == pytest.approx([0.05, 0.1, 0, 0, 0, 0.55, 0, 0, 0, 1.95])
    assert wins.tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert not probe.take().any()


@pytest.mark.parametrize("trust", ["score", "beta", "counterfactual", "ab"])
def test_probing_changes_nothing_of_what_is_done_and_learned(hands, trust: str) -> None:
    settings = {"trust": trust, "train_episodes": 20, "credit": "centred"}
    probed, toy = begin(hands, hands.good(), probe_share=1.0, **settings)
    unprobed, other_toy = begin(hands, hands.good(), probe_share=0.0, **settings)
    np.testing.assert_array_equal(hands.play(probed, toy, 30), hands.play(unprobed, other_toy, 30))
    for name, array in unprobed._arrays().items():
        if not name.startswith("calibration."):
            np.testing.assert_array_equal(probed._arrays()[name], array, err_msg=name)
    assert probed.take_calibration()[0].sum() > 0
    assert not unprobed.take_calibration().any()


def test_only_disagreements_of_test_episodes_are_probed_with_futures_of_their_own(hands) -> None:
    controller, toy = begin(hands, hands.good(), trust="score", train_episodes=10, probe_share=1.0)
    hands.play(controller, toy, 10)
    assert not controller.take_calibration().any()
    assert toy.asked == []
    controller.act(toy.observation)
    turn = controller._turn
    ((actions, networks, steps, draws, discount),) = toy.asked
    disagreements = np.argwhere(turn.advice != turn.own)
    np.testing.assert_array_equal(networks, disagreements[:, 0])
    for row, (network, agent) in enumerate(disagreements):
        expected = np.repeat(turn.executed[network][:, None], 2, axis=1)
        expected[agent] = [turn.advice[network, agent], turn.own[network, agent]]
        np.testing.assert_array_equal(actions[row], expected)
    # One future more than the four that count: the first is the one that trust asks for.
    assert (steps, draws, discount) == (5, 4 + 1, 0.95)


def test_good_advice_wins_and_trust_in_it_is_found_in_the_upper_bins(hands) -> None:
    settings = {"trust": "counterfactual", "train_episodes": 100, "probe_share": 0.5}
    for adviser, low, high in ((hands.good(), 0.6, 1.0), (hands.bad(), 0.0, 0.4)):
        controller, toy = begin(hands, adviser, **settings)
        hands.play(controller, toy, 140)
        count, trust, wins = controller.take_calibration()
        assert count.sum() > 20
        assert low <= trust.sum() / count.sum() <= high
        assert low <= wins.sum() / count.sum() <= high


def test_without_trust_or_copies_there_is_nothing_to_calibrate(hands) -> None:
    assert begin(hands, None)[0].take_calibration() is None
    assert begin(hands, hands.good(), what_if=False, trust="score")[0].take_calibration() is None
