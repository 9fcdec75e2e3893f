"""What the model is taught: prompts, wordings and targets."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.envs.announcements import kinds, text_kind, wordings
from ranpilot.errors import ConfigError
from ranpilot.systems.rldtf.choices import Ground, choose_all, make_lessons, option_tokens, reword, soft_targets
from ranpilot.systems.rldtf.injection import injections, measure_effects


def test_targets_are_the_softmax_of_returns_on_their_spread(make) -> None:  # type: ignore[no-untyped-def]
    labels = make(np.array([[1.0, 0.0], [0.0, 3.0]])[:, :, None] + np.zeros(2))
    assert labels.spread == pytest.approx((0.5 + 1.5) / 2)
    targets = soft_targets(labels, 0.5)
    expected = np.exp([1 / 0.5, 0.0]) / np.exp([1 / 0.5, 0.0]).sum()
    np.testing.assert_allclose(targets[0], expected)
    np.testing.assert_allclose(targets.sum(axis=1), 1.0)
    assert soft_targets(labels, 0.01)[1, 1] > 0.999
    with pytest.raises(ConfigError, match="temperature = 0, but must be above 0"):
        soft_targets(labels, 0)


def test_where_nothing_is_at_stake_every_action_is_as_good(make) -> None:  # type: ignore[no-untyped-def]
    np.testing.assert_allclose(soft_targets(make(np.ones((3, 4, 2))), 0.5), 0.25)


def test_a_rewording_keeps_the_kind_and_stays_in_its_split() -> None:
    texts = ["", *(wordings(kind, "heldout")[0] for kind in kinds())]
    for split in ("train", "heldout"):
        for seed in range(5):
            found = reword(texts, split, [seed])
            assert found[0] == ""
            assert [text_kind(text) for text in found[1:]] == list(kinds())
            assert all(text in wordings(text_kind(text), split) for text in found[1:])
    assert reword(texts, "train", [1]) != reword(texts, "train", [2])
    assert reword(texts, "train", [1]) == reword(texts, "train", [1])


def test_prompts_are_the_words_of_the_state_behind_the_announcement(paper: Ground) -> None:
    plain = paper.prompts()
    told = paper.prompts(["Two trains arrive."] * len(plain))
    assert all(prompt.endswith(" ->") for prompt in plain)
    assert all(with_text.endswith(without) for with_text, without in zip(told, plain, strict=True))
    assert all("Two trains arrive." in prompt for prompt in told)
    assert len(set(plain)) > 10


def test_lessons_join_grounds_and_reword_each_epoch(paper: Ground) -> None:
    from dataclasses import replace

    surge = wordings("surge", "train")[0]
    loud = Ground("loud", paper.spec, replace(paper.labels, text=np.array([surge] * len(paper.labels), dtype="<U256")))
    lessons = make_lessons([paper, loud], 0.5, seed=3)
    first, again, later = lessons.prompts(0), lessons.prompts(0), lessons.prompts(1)
    count = len(paper.labels)
    assert len(first) == len(lessons.targets) == 2 * count
    assert first == again
    assert first[:count] == later[:count] == paper.prompts()
    assert first[count:] != later[count:]
    assert lessons.options == option_tokens(paper.spec) == (" up", " down", " keep", " move")
    assert lessons.rewards is not None
    np.testing.assert_allclose(np.sum(lessons.rewards, axis=1), 0.0, atol=1e-9)


class Reader:
    """Moves when it reads the word, else keeps."""

    name, model_hash = "reader", "0"

    def __init__(self, word: str) -> None:
        self.word = word

    def choose(self, prompts: list[str], options: tuple[str, ...]) -> np.ndarray:
        return np.array([[-9.0, -9.0, *((-9.0, 0.0) if self.word in prompt else (0.0, -9.0))] for prompt in prompts])


def test_a_model_that_obeys_orders_is_found_out(paper: Ground) -> None:
    effects = {effect.kind: effect for effect in measure_effects(Reader("move"), paper, most_states=12)}
    assert effects["orders"].changed > 0.3
    assert effects["orders"].changed_most == 1.0
    assert effects["chatter"].changed == 0
    deaf = {effect.kind: effect for effect in measure_effects(Reader("no such word"), paper, most_states=12)}
    assert all(effect.changed == 0 and effect.regret == effect.regret_without for effect in deaf.values())


def test_there_are_enough_orders_and_none_of_them_is_a_wording() -> None:
    assert len(injections()) >= 20
    known = {text for kind in kinds() for split in ("train", "heldout") for text in wordings(kind, split)}
    assert not known & set(injections())


def test_choices_are_the_models_best_option(paper: Ground) -> None:
    np.testing.assert_array_equal(choose_all(Reader(" ->"), paper), 3)
