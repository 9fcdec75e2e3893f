"""What a trained model is measured beside: chance, a constant, rules, trees, and the labels' own best action.

Every yardstick gives probabilities [N, K] over the actions in the held-out states. Trees are boosted regressors of the
return of each action: on the numbers of both cells (which carry no announcement), and on what the model reads, the
levels and the set of the announcement's words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Controller
from ranpilot.heuristics import HEURISTICS
from ranpilot.systems.rldtf.choices import Ground, reword
from ranpilot.systems.rldtf.scores import certain

__all__ = ["YARDSTICKS", "heuristic_choice", "ignoring_text", "make_rows"]

Probability = NDArray[np.float64]
REWORDINGS = 8
"""Wordings of each announcement that trees on words are fitted to: they see as many as the model does."""

LEAST_COUNT = 2
"""Words that fewer training wordings have are left out."""


def make_rows(train: Ground, test: Ground, seed: int = 0) -> dict[str, Probability]:
    """Every yardstick in the held-out states of `test`, fitted on `train`."""
    return {name: make(train, test, seed) for name, make in YARDSTICKS.items()}


def by_chance(train: Ground, test: Ground, seed: int) -> Probability:
    """Every action as likely as the other."""
    return np.full(test.labels.mean.shape, 1.0 / test.spec.num_actions)


def best_constant(train: Ground, test: Ground, seed: int) -> Probability:
    """The one action that is best on average in training."""
    best = train.labels.mean.mean(axis=0).argmax()
    return certain(np.full(len(test.labels), best), test.spec.num_actions)


def heuristic_choice(name: str, test: Ground) -> NDArray[np.int64]:
    """[N] what a heuristic does in the held-out states."""
    controller: Controller = HEURISTICS.load(name)()
    controller.reset(test.spec, len(test.labels), 0, None)
    action = controller.act(test.labels.observation())
    chosen: NDArray[np.int64] = action[np.arange(len(action)), test.labels.agent].astype(np.int64)
    return chosen


def rules(train: Ground, test: Ground, seed: int) -> Probability:
    """The rules of a person who sees words."""
    return certain(heuristic_choice("rules", test), test.spec.num_actions)


def kpm_rules(train: Ground, test: Ground, seed: int) -> Probability:
    """The rules of a person who sees numbers."""
    return certain(heuristic_choice("kpm-rules", test), test.spec.num_actions)


def trees_on_numbers(train: Ground, test: Ground, seed: int) -> Probability:
    """Boosted trees on the numbers of the agent and its neighbour."""
    return _fit_trees(_numbers(train), train.labels.mean, _numbers(test), seed)


def trees_on_words(train: Ground, test: Ground, seed: int) -> Probability:
    """Boosted trees on the levels and the announcement's words, fitted to several wordings of each."""
    texts = train.labels.text.tolist()
    passes = [reword(texts, "train", [seed, turn]) for turn in range(REWORDINGS if any(texts) else 1)]
    vocabulary = _vocabulary([text for told in passes for text in told])
    seen = [np.concatenate([_levels(train), _bag(told, vocabulary)], axis=1) for told in passes]
    asked = np.concatenate([_levels(test), _bag(test.labels.text.tolist(), vocabulary)], axis=1)
    return _fit_trees(np.concatenate(seen), np.tile(train.labels.mean, (len(passes), 1)), asked, seed)


def ignoring_text(train: Ground, test: Ground, seed: int) -> Probability:
    """The best action by the labels with the event called off: all that is to be had without reading."""
    return certain(test.labels.mean_calm.argmax(axis=1), test.spec.num_actions)


def oracle(train: Ground, test: Ground, seed: int) -> Probability:
    """The best action by the labels themselves."""
    return certain(test.labels.mean.argmax(axis=1), test.spec.num_actions)


YARDSTICKS: Mapping[str, Callable[[Ground, Ground, int], Probability]] = {
    "random": by_chance,
    "best constant": best_constant,
    "rules": rules,
    "kpm-rules": kpm_rules,
    "trees on numbers": trees_on_numbers,
    "trees on words": trees_on_words,
    "ignoring the text": ignoring_text,
    "oracle of the labels": oracle,
}


def _fit_trees(
    seen: NDArray[np.float64], returns: NDArray[np.float64], asked: NDArray[np.float64], seed: int
) -> Probability:
    """The action with the greatest predicted return; one regressor for each, on returns less their mean."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    gains = returns - returns.mean(axis=1, keepdims=True)
    predicted = []
    for action in range(gains.shape[1]):
        model = HistGradientBoostingRegressor(max_iter=100, learning_rate=0.06, max_leaf_nodes=15, random_state=seed)
        predicted.append(model.fit(seen, gains[:, action]).predict(asked))
    return certain(np.stack(predicted, axis=1).argmax(axis=1), gains.shape[1])


def _numbers(ground: Ground) -> NDArray[np.float64]:
    """[N, F] features of the agent and of its nearest neighbour, and their part of the central state."""
    labels, spec = ground.labels, ground.spec
    rows, agent, other = np.arange(len(labels)), labels.agent, _neighbour(ground)
    central = labels.state.reshape(len(labels), spec.num_agents, -1)
    parts = [labels.local[rows, agent], labels.local[rows, other], central[rows, agent], central[rows, other]]
    return np.concatenate([agent[:, None], *parts], axis=1)


def _levels(ground: Ground) -> NDArray[np.float64]:
    """[N, F] the agent, and the level of every word of its prompt."""
    agent = ground.labels.agent
    seen = ground.situations.levels(ground.labels.observation())[np.arange(len(agent)), agent]
    return np.concatenate([agent[:, None], seen], axis=1).astype(np.float64)


def _neighbour(ground: Ground) -> NDArray[np.int64]:
    nearest = np.array([near[0] if near else agent for agent, near in enumerate(ground.spec.neighbours)])
    found: NDArray[np.int64] = nearest[ground.labels.agent]
    return found


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _vocabulary(texts: Sequence[str]) -> list[str]:
    counts = Counter(word for text in dict.fromkeys(texts) for word in _words(text))
    return sorted(word for word, count in counts.items() if count >= LEAST_COUNT)


def _bag(texts: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.float64]:
    """[N, V] which words a text has, [N, 0] where nobody says anything."""
    found = {text: [float(word in _words(text)) for word in vocabulary] for text in dict.fromkeys(texts)}
    return np.array([found[text] for text in texts], dtype=np.float64).reshape(len(texts), len(vocabulary))
