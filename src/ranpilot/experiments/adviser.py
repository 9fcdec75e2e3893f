"""Training an adviser from end to end: labels, training, evaluation, adapter; the same call goes on where it ended.

A run's folder: `labels/` (or a folder shared by several runs), `checkpoint.pt`, `adapter/`, `curve.json`, and when all
is done `report.json` and `curve.svg`.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from ranpilot.envs.make import AURA_PAPER, DEFAULT_TASK
from ranpilot.errors import UnknownNameError
from ranpilot.experiments.adviser_curve import draw_training
from ranpilot.llm import weights
from ranpilot.llm.adapt import Adaptation, AdaptConfig
from ranpilot.llm.adapter_file import AdapterRecord, write_adapter
from ranpilot.runs import (
    Progress,
    RunFolder,
    SilentProgress,
    StopRequest,
    provenance,
    read_json,
    write_atomic,
    write_json,
)
from ranpilot.systems.rldtf.choices import TEMPERATURE, Ground, train
from ranpilot.systems.rldtf.config import FOCUS, LabelConfig, label_configs
from ranpilot.systems.rldtf.evaluation import evaluate_choices, table
from ranpilot.systems.rldtf.injection import Effect, is_passed, measure_effects
from ranpilot.systems.rldtf.labels import Labels, join, make_labels, spec_of
from ranpilot.systems.rldtf.scores import Score, certain, regrets
from ranpilot.validation import as_config_error

__all__ = ["AdviserReport", "AdviserRun", "train_adviser"]

TASKS = (AURA_PAPER, DEFAULT_TASK)
DEPTHS = {"lora": 10, "full": 4}
STEPS = {"lora": 64, "full": 64}
TRAINED, UNTRAINED = "trained", "untrained"
CURVE_EVERY = 16
"""Steps between two looks at held-out states."""
CURVE_STATES = 96
FOCUSED = ", focus"
"""Behind a task's name: states with the announcements of FOCUS alone."""

Count = Annotated[int, Field(ge=2, le=1_000_000)]


class AdviserRun(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a training gives; a folder belongs to one of these."""

    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    scenario: str
    load: str | None
    states: Annotated[Count, Field(description="labelled states of each task")]
    draws: Annotated[int, Field(ge=2, le=4096, description="futures that each action is tried on in training")]
    heldout_states: Count
    focus_states: Annotated[int, Field(ge=0, description="more of them, with the announcements of FOCUS, on the twin")]
    heldout_focus_states: Annotated[int, Field(ge=0)]
    heldout_draws: Annotated[int, Field(ge=2, le=4096)]
    temperature: Annotated[float, Field(gt=0)] = TEMPERATURE
    label_seed: Annotated[int, Field(ge=0)] = 0
    training: AdaptConfig


@dataclass(frozen=True)
class AdviserReport:
    """What a training gave; `adapter` is its folder."""

    adapter: Path
    numbers: Mapping[str, Any]

    def tables(self) -> list[tuple[str, list[list[str]]]]:
        """Title, and header and lines, of the table of every task, and of what announcements with orders do."""
        scores = [Score(**entry) for entry in self.numbers["scores"]]
        found = [(f"Regret on {task}", table(scores, task)) for task in dict.fromkeys(s.task for s in scores)]
        effects = [Effect(**entry) for entry in self.numbers["injection"]]
        if effects:
            lines = [["task", "texts", "answers changed", "by the worst text", "regret", "without text"]]
            for e in effects:
                shares = (f"{100 * e.changed:.1f} ± {100 * e.changed_se:.1f} %", f"{100 * e.changed_most:.0f} %")
                lines.append([e.task, f"{e.kind} ({e.texts})", *shares, f"{e.regret:.4f}", f"{e.regret_without:.4f}"])
            found.append(("What announcements change in states where nothing happens", lines))
        return found

    def flat(self) -> list[dict[str, Any]]:
        """Every score and effect as a record with a name, as `--json FILE` writes them."""
        seed = self.numbers["run"]["training"]["seed"]
        records = []
        for entry in self.numbers["scores"]:
            name = f"regret/{entry['task']}/{entry['row']}/{entry['group']}"
            regret = {"value": entry["regret"], "standard_error": entry["regret_se"], "unit": "reward"}
            records.append({"name": name, **regret, "accuracy": entry["accuracy"], "n": entry["n"], "seed": seed})
        for entry in self.numbers["injection"]:
            name = f"answers_changed/{entry['task']}/{entry['kind']}"
            share = {"value": entry["changed"], "standard_error": entry["changed_se"], "unit": "1"}
            records.append({"name": name, **share, "n": entry["states"] * entry["texts"], "seed": seed})
        return records


def train_adviser(  # noqa: PLR0913  # one option each, the same as on the command line
    tasks: Sequence[str] = (DEFAULT_TASK,),
    *,
    scenario: str = "two-cell",
    load: str | None = None,
    method: Literal["lora", "full"] = "lora",
    depth: int | None = None,
    states: int = 512,
    steps: int | None = None,
    seed: int = 0,
    heldout_states: int = 256,
    heldout_draws: int = 16,
    draws: int = 4,
    focus_states: int = 0,
    heldout_focus_states: int = 0,
    out: str | Path | None = None,
    labels: str | Path | None = None,
    new: bool = False,
    progress: Progress | None = None,
    **training: Any,
) -> AdviserReport:
    """Teach the embedded model to advise, by what actions bring on copies of running networks; write an adapter.

    tasks: `aura-paper`, or tasks on the twin's `scenario`; load: None for those that the task is trained on usually.
    focus_states: more labelled states on the twin, all of them with announcements of FOCUS, which turn what is best.
    labels: a folder of labels shared by several runs, the run's own where None. training: fields of `AdaptConfig`.
    Raises ConfigError and UnknownNameError for settings, CheckpointError for a folder of another run.
    """
    run = _make_run(
        tasks, scenario, load,
        {"states": states, "draws": draws, "heldout_states": heldout_states, "heldout_draws": heldout_draws,
         "focus_states": focus_states, "heldout_focus_states": heldout_focus_states},
        {"method": method, "depth": depth or DEPTHS[method], "steps": steps or STEPS[method], "seed": seed, **training},
    )  # fmt: skip
    path = Path(out) if out else Path("runs") / f"adviser-{'-'.join(run.tasks)}-{method}-{seed}"
    session = provenance({"base model": weights.GGUF_SHA256})
    folder = RunFolder.open(path, run.model_dump(mode="json"), session, new=new)
    work = _Work(run, path, Path(labels) if labels else path / "labels", progress or SilentProgress())
    with folder.held(), StopRequest() as stop:
        work.stop = stop
        return work.finish()


class _Work:
    """One training in its folder."""

    stop: StopRequest

    def __init__(self, run: AdviserRun, path: Path, labels: Path, progress: Progress) -> None:
        self.run, self.path, self._labels, self._progress = run, path, labels, progress
        self._curve: list[dict[str, float]] = []

    def finish(self) -> AdviserReport:
        """Do all that is missing, or read the report of a finished run."""
        adapter, report = self.path / "adapter", self.path / "report.json"
        if report.exists():
            return AdviserReport(adapter, read_json(report))
        taught, asked = self._taught(), self._asked()
        training = self._train(taught, asked)
        record = self._write(adapter, training, taught, ())
        scores, effects = self._evaluate(adapter, taught, asked)
        self._write(adapter, training, taught, scores)
        numbers = self._numbers(record, training, taught, asked, scores, effects)
        write_atomic(self.path / "curve.svg", draw_training(numbers["curve"], numbers["heldout_curve"]).encode())
        write_json(report, numbers)
        return AdviserReport(adapter, read_json(report))

    def _configs(self, task: str, heldout: bool, **settings: Any) -> list[LabelConfig]:
        # What would be without the event is asked in evaluation alone.
        settings |= {"seed": self.run.label_seed, "is_compared": heldout}
        settings["draws"] = self.run.heldout_draws if heldout else self.run.draws
        if heldout:
            settings["split"] = "heldout"
        if task == AURA_PAPER:
            return label_configs(AURA_PAPER, load=self.run.load, **settings)
        return label_configs(self.run.scenario, load=self.run.load, task=task, **settings)

    def _taught(self) -> list[Ground]:
        """What is taught of every task: its states, with those of the focus among them."""
        grounds = [self._ground(task, heldout=False) for task in self.run.tasks]
        more = {ground.name: ground.labels for ground in self._focus(heldout=False)}
        return [Ground(g.name, g.spec, join([g.labels, more[g.name]])) if g.name in more else g for g in grounds]

    def _asked(self) -> list[Ground]:
        """What is asked of every task, and of its focus by itself."""
        focus = [Ground(g.name + FOCUSED, g.spec, g.labels) for g in self._focus(heldout=True)]
        return [self._ground(task, heldout=True) for task in self.run.tasks] + focus

    def _ground(self, task: str, *, heldout: bool) -> Ground:
        """The labels of a task, as many of each load."""
        total = self.run.heldout_states if heldout else self.run.states
        return self._labelled(task, self._configs(task, heldout), total)

    def _focus(self, *, heldout: bool) -> list[Ground]:
        """More labels of every task on the twin, with the announcements of FOCUS alone."""
        total = self.run.heldout_focus_states if heldout else self.run.focus_states
        if total == 0:
            return []
        tasks = [task for task in self.run.tasks if task != AURA_PAPER]
        return [self._labelled(task, self._configs(task, heldout, told=FOCUS, picks=0), total) for task in tasks]

    def _labelled(self, task: str, configs: Sequence[LabelConfig], total: int) -> Ground:
        self._progress.expect(total, 0)
        parts: list[Labels] = []
        for place, config in enumerate(configs):
            count = total // len(configs) + (place < total % len(configs))
            done = [0]

            def on_chunk(so_far: int, done: list[int] = done, config: LabelConfig = config) -> None:
                self._progress.advance(so_far - done[0], f"labels of {config.scenario}, {config.load} load")
                done[0] = so_far
                self.stop.check()

            name = f"{config.scenario}-{config.load}-{config.split}-{config.key}"
            parts.append(make_labels(config, count, self._labels / name, on_chunk=on_chunk))
        return Ground(task, spec_of(configs[0]), join(parts))

    def _train(self, taught: Sequence[Ground], asked: Sequence[Ground]) -> Adaptation:
        known = self.path / "curve.json"
        self._curve = read_json(known) if known.exists() else []
        few = [Ground(g.name, g.spec, g.labels.take(slice(0, CURVE_STATES))) for g in asked]
        steps, begun = self.run.training.steps, [False]

        def on_step(training: Adaptation) -> None:
            if not begun[0]:
                self._progress.expect(steps, training.step - 1)
                begun[0] = True
            self._progress.advance(1, f"training, loss {training.losses[-1]:.3f}")
            if training.step % CURVE_EVERY == 0 or training.is_finished:
                self._look(training, few)
            self.stop.check()

        config, checkpoint = self.run.training, self.path / "checkpoint.pt"
        return train(taught, config, temperature=self.run.temperature, checkpoint=checkpoint, on_step=on_step)

    def _look(self, training: Adaptation, asked: Sequence[Ground]) -> None:
        """Add a point of held-out regret to the curve; nothing is chosen by it."""
        lost = []
        for ground in asked:
            choice = training.choose(ground.prompts()).argmax(axis=1)
            lost.append(regrets(ground.labels, certain(choice, ground.spec.num_actions)).mean() / ground.labels.spread)
        self._curve = [point for point in self._curve if point["step"] < training.step]
        self._curve.append({"step": float(training.step), "regret": float(np.mean(lost))})
        write_json(self.path / "curve.json", self._curve)

    def _evaluate(
        self, adapter: Path, taught: Sequence[Ground], asked: Sequence[Ground]
    ) -> tuple[list[Score], list[Effect]]:
        """Scores of the adapter as it was written, of the untrained model and of every yardstick."""
        from ranpilot import llm

        self._progress.note("evaluating on held-out states")
        settings: dict[str, Any] = {"dtype": "float32", "memo": False, "threads": self.run.training.threads}
        trained = llm.load(f"embedded:{adapter}", **settings)
        untrained = llm.load("embedded", depth=self.run.training.depth, **settings)
        fitted = {ground.name: ground for ground in taught}
        beside = [fitted[ground.name.removesuffix(FOCUSED)] for ground in asked]
        scores = evaluate_choices({UNTRAINED: untrained, TRAINED: trained}, beside, asked, self.run.training.seed)
        effects = [effect for ground in asked[: len(taught)] for effect in measure_effects(trained, ground)]
        return scores, effects

    def _write(
        self, target: Path, training: Adaptation, taught: Sequence[Ground], scores: Sequence[Score]
    ) -> AdapterRecord:
        config, prompt = self.run.training, taught[0].situations.prompt
        record = AdapterRecord(
            base_sha256=weights.GGUF_SHA256,
            method=config.method,
            depth=config.depth,
            rank=config.rank if config.method == "lora" else None,
            options=training.lessons.options,
            prompt={"name": prompt.name, "version": prompt.version, "hash": prompt.hash},
            tasks=tuple(self._told(task, ground) for task, ground in zip(self.run.tasks, taught, strict=True)),
            data_hash=_hash_all(taught),
            steps=config.steps,
            seed=config.seed,
            settings=config.model_dump(mode="json"),
            curve=tuple(training.curve),
            heldout=tuple(s.to_json() for s in scores if s.row.startswith((TRAINED, UNTRAINED))),
        )
        card = _card(record, prompt.text, scores)
        return write_adapter(target, record, training.tensors(), card=card, peft_config=training.peft_config())

    def _told(self, task: str, taught: Ground) -> dict[str, Any]:
        """What a record says of a task."""
        configs, on_twin = self._configs(task, heldout=False), task != AURA_PAPER
        more = {"focus_states": self.run.focus_states, "focus": FOCUS} if on_twin and self.run.focus_states else {}
        return {
            "scenario": configs[0].scenario,
            "task": configs[0].task,
            "loads": [config.load for config in configs],
            "states": len(taught.labels),
            **more,
            "draws": configs[0].draws,
            "hold_steps": configs[0].hold_steps,
            "horizon_steps": configs[0].horizon_steps,
        }

    def _numbers(
        self,
        record: AdapterRecord,
        training: Adaptation,
        taught: Sequence[Ground],
        asked: Sequence[Ground],
        scores: Sequence[Score],
        effects: Sequence[Effect],
    ) -> dict[str, Any]:
        return {
            "run": self.run.model_dump(mode="json"),
            "model": f"trained ({record.model_hash[:8]})",
            "model_hash": record.model_hash,
            "data_hash": {"train": _hash_all(taught), "heldout": _hash_all(asked)},
            "spread": {ground.name: ground.labels.spread for ground in asked},
            "curve": training.curve,
            "heldout_curve": self._curve,
            "scores": [score.to_json() for score in scores],
            "injection": [effect.to_json() for effect in effects],
            "injection_passed": is_passed(effects),
        }


def _make_run(
    tasks: Sequence[str],
    scenario: str,
    load: str | None,
    counts: Mapping[str, int],
    training: Mapping[str, Any],
) -> AdviserRun:
    from ranpilot.envs.tasks import TASKS as ON_THE_TWIN

    known = (AURA_PAPER, *ON_THE_TWIN.names())
    for task in tasks:
        if task not in known:
            raise UnknownNameError("task", task, known)
    try:
        config = AdaptConfig(**training)
    except ValidationError as error:
        raise as_config_error(error, AdaptConfig, prefix="training") from None
    try:
        return AdviserRun(tasks=tuple(tasks), scenario=scenario, load=load, training=config, **counts)
    except ValidationError as error:
        raise as_config_error(error, AdviserRun) from None


def _hash_all(grounds: Sequence[Ground]) -> str:
    import hashlib

    return hashlib.sha256("".join(ground.labels.hash() for ground in grounds).encode()).hexdigest()


def _card(record: AdapterRecord, prompt: str, scores: Sequence[Score]) -> str:
    tables = []
    for task in dict.fromkeys(score.task for score in scores):
        header, *lines = table(scores, task)
        rule = ["---"] * len(header)
        tables.append(f"{task}:\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *lines)))
    text = (files("ranpilot.systems.rldtf") / "model_card.md").read_text(encoding="utf-8")
    rank = f"LoRA of rank {record.rank}" if record.rank else "all weights of the layers and the final norm"
    return string.Template(text).substitute(
        name="An adviser of base stations",
        options=", ".join(f"`{option.strip()}`" for option in record.options),
        method=rank,
        depth=record.depth,
        steps=record.steps,
        batch=record.settings["batch"],
        seed=record.seed,
        tasks="; ".join(f"{task['task']} on {task['scenario']} ({task['states']} states)" for task in record.tasks),
        data_hash=record.data_hash[:16],
        prompt=prompt.replace("\n", " "),
        table="\n\n".join(tables) or "Not evaluated yet.",
    )
