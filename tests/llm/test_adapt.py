"""Training on the tiny model: it learns, goes on to the same bits, and what it writes is what is loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot import llm
from ranpilot.errors import BackendError, CheckpointError, ConfigError, UnknownNameError
from ranpilot.llm import weights
from ranpilot.llm.adapt import Adaptation, AdaptConfig, Lessons, adapt
from ranpilot.llm.adapter_file import AdapterRecord, write_adapter

pytest.importorskip("torch", reason="the extra ranpilot[llm] is not installed")
pytest.importorskip("peft", reason="the extra ranpilot[llm] is not installed")
pytestmark = pytest.mark.usefixtures("tiny_installed")

OPTIONS = (" up", "a", "b")
PROMPTS = [f"{first} {second} ->" for first in "xyzw" for second in ("up", "no", "perhaps so")]
TARGETS = np.eye(3)[[PROMPTS.index(prompt) % 3 for prompt in PROMPTS]] * 0.9 + 0.1 / 3


def lessons(**changes: Any) -> Lessons:
    content: dict[str, Any] = {"prompts": lambda epoch: PROMPTS, "targets": TARGETS, "options": OPTIONS}
    return Lessons(**content | changes)


def config(method: str = "full", **changes: Any) -> AdaptConfig:
    settings = {"depth": 2, "rank": 4, "steps": 6, "batch": 5, "warmup_steps": 2, "learning_rate": 1e-2}
    return AdaptConfig(**{"method": method} | settings | changes)


def record_of(training: Adaptation) -> AdapterRecord:
    settings = training.config
    return AdapterRecord(
        base_sha256=weights.GGUF_SHA256,
        method=settings.method,
        depth=settings.depth,
        rank=settings.rank if settings.method == "lora" else None,
        options=training.lessons.options,
        prompt={"name": "test", "version": 1, "hash": "0"},
        tasks=({"scenario": "test"},),
        data_hash="0",
        steps=settings.steps,
        seed=settings.seed,
        settings=settings.model_dump(mode="json"),
        curve=tuple(training.curve),
        heldout=(),
    )


def written(training: Adaptation, folder: Path) -> Path:
    tensors, peft = training.tensors(), training.peft_config()
    write_adapter(folder, record_of(training), tensors, card="# a card\n", peft_config=peft)
    return folder


@pytest.mark.parametrize("method", ["lora", "full"])
def test_training_lowers_the_loss_and_moves_the_choices_to_the_targets(method: str) -> None:
    training = Adaptation(lessons(), config(method, steps=60, batch=12))
    before = training.choose(PROMPTS)
    losses = [training.advance() for _ in range(60)]
    after = training.choose(PROMPTS)
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    assert (after.argmax(axis=1) == TARGETS.argmax(axis=1)).mean() > 0.9
    assert (before.argmax(axis=1) == TARGETS.argmax(axis=1)).mean() < 0.7


@pytest.mark.parametrize("method", ["lora", "full"])
def test_only_the_layers_and_the_norm_or_their_factors_are_trained(method: str) -> None:
    tensors = Adaptation(lessons(), config(method, depth=1)).tensors()
    if method == "full":
        assert all(name.startswith(("model.layers.0.", "model.norm.")) for name in tensors)
        assert len(tensors) == 10
    else:
        assert all(".lora_A.weight" in name or ".lora_B.weight" in name for name in tensors)
        assert len(tensors) == 14


def test_the_loss_of_a_step_is_the_cross_entropy_to_the_targets() -> None:
    training = Adaptation(lessons(), config(batch=len(PROMPTS)))
    expected = -(TARGETS * training.choose(PROMPTS)).sum(axis=1).mean()
    assert training.advance() == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_the_finish_is_the_mean_reward_with_the_sign_turned() -> None:
    rewards = np.random.default_rng(0).normal(size=TARGETS.shape)
    training = Adaptation(lessons(rewards=rewards), config(batch=len(PROMPTS), steps=2, finish_steps=2))
    expected = -(rewards * np.exp(training.choose(PROMPTS))).sum(axis=1).mean()
    assert training.advance() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_stopped_training_goes_on_to_the_same_bits(method: str, tmp_path: Path) -> None:
    whole = adapt(lessons(), config(method))
    seen: list[int] = []

    def stop_after_four(training: Adaptation) -> None:
        seen.append(training.step)
        if training.step == 4:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        adapt(lessons(), config(method), checkpoint=checkpoint, on_step=stop_after_four)
    went_on = adapt(lessons(), config(method), checkpoint=checkpoint, on_step=lambda t: seen.append(t.step))
    assert seen == [1, 2, 3, 4, 5, 6]
    for name, tensor in whole.tensors().items():
        assert (tensor == went_on.tensors()[name]).all(), name
    assert went_on.curve == whole.curve
    again = adapt(lessons(), config(method), checkpoint=checkpoint, on_step=lambda t: pytest.fail("it ran on"))
    assert again.is_finished


def test_every_epoch_is_asked_for_its_wording_once_and_sees_every_row() -> None:
    asked: list[int] = []

    def prompts(epoch: int) -> Sequence[str]:
        asked.append(epoch)
        return [f"{epoch} {prompt}" for prompt in PROMPTS]

    adapt(lessons(prompts=prompts), config(steps=6, batch=4))
    assert asked == [0, 1]


def test_a_checkpoint_of_another_training_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    adapt(lessons(), config(steps=1), checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="belongs to another training; delete it, and the training begins anew"):
        adapt(lessons(), config(steps=2), checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        adapt(lessons(), config(steps=1), checkpoint=checkpoint)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_written_adapter_is_loaded_with_its_choices_name_and_hash(method: str, tmp_path: Path) -> None:
    training = adapt(lessons(), config(method, steps=20, batch=12))
    folder = written(training, tmp_path / "adapter")
    model: Any = llm.load("embedded", adapter=folder, dtype="float32", memo=False)
    # bfloat16 tensors lie within 0.4 % of what was trained.
    np.testing.assert_allclose(model.choose(PROMPTS, OPTIONS), training.choose(PROMPTS), atol=0.15)
    untrained = llm.load("embedded", depth=2, dtype="float32", memo=False).choose(PROMPTS, OPTIONS)
    assert np.abs(model.choose(PROMPTS, OPTIONS) - untrained).max() > 0.5
    assert model.name == f"trained ({model.model_hash[:8]})"
    assert model.model_hash != weights.GGUF_SHA256
    assert model.settings["depth"] == 2
    by_name: Any = llm.load(f"embedded:{folder}", memo=False)
    assert by_name.model_hash == model.model_hash


def test_factors_are_merged_as_peft_merges_them(tmp_path: Path) -> None:
    import peft
    import torch

    training = adapt(lessons(), config("lora", steps=10))
    folder = written(training, tmp_path / "adapter")
    model: Any = llm.load("embedded", adapter=folder, dtype="float32", memo=False)
    base = weights.load_model(weights.weights_folder(), depth=2, device="cpu", dtype="float32")
    merged = peft.PeftModel.from_pretrained(base, str(folder)).merge_and_unload()
    for name, parameter in merged.named_parameters():
        torch.testing.assert_close(parameter, dict(model.model.named_parameters())[name], atol=1e-6, rtol=1e-5)


def test_another_training_has_another_hash(tmp_path: Path) -> None:
    hashes = set()
    for seed in (0, 1):
        folder = written(adapt(lessons(), config(seed=seed)), tmp_path / str(seed))
        hashes.add(llm.load("embedded", adapter=folder, memo=False).model_hash)
    assert len(hashes) == 2


def test_another_depth_than_the_adapters_is_refused(tmp_path: Path) -> None:
    folder = written(adapt(lessons(), config(steps=1)), tmp_path / "adapter")
    assert llm.load("embedded", adapter=folder, depth=2, memo=False).name.startswith("trained (")
    with pytest.raises(ConfigError, match=r"embedded.depth = 1, but must be 2, as the adapter was trained, or left"):
        llm.load("embedded", adapter=folder, depth=1)


def _change(key: str, value: object) -> Any:
    def change(folder: Path) -> None:
        path = folder / "record.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))

    return change


def _cut(name: str) -> Any:
    def cut(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return cut


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_cut("record.json"), "is damaged"),
        (
            _cut("layers.safetensors"),
            r"layers.safetensors: is damaged \(its hash is not the record's\); train it again",
        ),
        (lambda folder: (folder / "layers.safetensors").unlink(), "cannot be read"),
        (lambda folder: (folder / "record.json").unlink(), r"is no adapter \(record.json is missing\)"),
        (_change("format", 2), "has format 2, but this ranpilot reads up to 1; update ranpilot."),
        (_change("base_sha256", "f" * 64), r"was trained on another model \(ffffffffffff\.\.\., not "),
        (_change("depth", "deep"), "record.json: is damaged"),
        (_change("depth", 1), "its tensors do not fit the model"),
    ],
)
def test_a_damaged_foreign_or_newer_adapter_is_refused_in_one_sentence(
    damage: Any, sentence: str, tmp_path: Path
) -> None:
    folder = written(adapt(lessons(), config(steps=1)), tmp_path / "adapter")
    damage(folder)
    with pytest.raises(BackendError, match=sentence) as caught:
        llm.load("embedded", adapter=folder)
    assert "\n" not in str(caught.value)


def test_an_adapter_that_is_not_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="there is no such folder; name the folder of an adapter, or train"):
        llm.load("embedded", adapter=tmp_path / "nothing")
    with pytest.raises(UnknownNameError, match="No adapter is called 'advisor'"):
        llm.load("embedded:advisor")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets": np.ones((2, 2))}, "targets: shape"),
        ({"targets": np.ones((2, 3))}, "probabilities that sum to 1"),
        ({"rewards": np.ones((1, 3))}, "rewards: shape"),
    ],
)
def test_lessons_that_do_not_fit_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        lessons(**changes)


def test_an_option_of_two_tokens_is_refused() -> None:
    with pytest.raises(ConfigError, match="a single token of the model"):
        Adaptation(lessons(options=(" up", "a", "no")), config())


def test_a_finish_needs_rewards_and_is_a_part_of_the_steps() -> None:
    with pytest.raises(ConfigError, match="finish_steps = 2, but must be 0 where lessons have no rewards"):
        Adaptation(lessons(), config(finish_steps=2))
    with pytest.raises(ValueError, match="finish_steps"):
        config(steps=2, finish_steps=3)


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rates = [config(steps=10, warmup_steps=4, learning_rate=1.0).rate_at(step) for step in range(10)]
    np.testing.assert_allclose(rates[:4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(rates[4:], np.arange(6, 0, -1) / 6)
