"""The language model by itself: choose, train."""

from __future__ import annotations

from typing import Literal

from ranpilot.cli.console import make_console, make_table, say
from ranpilot.cli.options import Command, Folder, JsonFile, Name, Number, Switch, Word, split_names

__all__ = ["COMMANDS"]


def choose(
    prompt: Word,
    /,
    options: str = " up, down, keep, move",
    model: str = "embedded",
    depth: Number = None,
    json_file: JsonFile = None,
) -> None:
    """Ask a language model to choose among single words, and print the chances.

    Args:
        prompt: what it reads.
        options: the words, separated by commas; a blank before a word belongs to it.
        model: embedded, embedded:ADAPTER or endpoint:MODEL.
        depth: how many layers of the embedded model run, all where not given.
        json_file: write the chances to this file too.
    """
    import numpy as np

    from ranpilot import llm
    from ranpilot.runs import write_json

    names = options.split(",")
    chooser = llm.load(model) if depth is None else llm.load(model, depth=depth)
    chances = dict(zip(names, np.exp(chooser.choose([prompt], names)[0]).tolist(), strict=True))
    for name, chance in sorted(chances.items(), key=lambda pair: -pair[1]):
        say(f"{chance:6.3f} {name}")
    if json_file is not None:
        asked = {"model": chooser.name, "model_hash": chooser.model_hash, "prompt": prompt}
        write_json(json_file, asked | {"chances": chances})


def train(  # noqa: PLR0913  # one option each
    task: str = "power-handover", scenario: str = "two-cell", load: Name = None,
    method: Literal["lora", "full"] = "lora", depth: Number = None, states: int = 512, steps: Number = None,
    heldout_states: int = 256, draws: int = 4, heldout_draws: int = 16, focus_states: int = 0,
    heldout_focus_states: int = 0, dtype: Literal["float32", "bfloat16"] = "float32", seed: int = 0, out: Folder = None,
    labels: Folder = None, new: Switch = False, json_file: JsonFile = None,
) -> None:  # fmt: skip
    """Teach the embedded model to advise, by what actions bring on copies of networks; the same command resumes.

    Args:
        task: aura-paper, power-handover, or both as aura-paper,power-handover.
        scenario: name or YAML file of the scenario that tasks on the twin run in.
        load: one of the scenario's loads; those that the task is usually trained on where not given.
        method: lora (low-rank factors, small adapter) or full (the layers themselves).
        depth: layers that run and are trained; 10 for lora and 4 for full where not given.
        states: labelled states of each task.
        steps: steps of the training.
        heldout_states: states of each task that the adapter is evaluated on.
        draws: futures that each action is tried on.
        heldout_draws: futures that each action is tried on there.
        focus_states: more labelled states on the twin, whose announcements turn what is best most often.
        heldout_focus_states: such states that the adapter is evaluated on, in a table of their own.
        dtype: number format of the training; bfloat16 is faster where the processor has it.
        seed: seed of the training.
        out: folder of the run, runs/... where not given; the adapter is its folder adapter.
        labels: folder of labels that several runs share.
        new: put an earlier run in that folder aside and start over.
        json_file: write every score to this file.
    """
    from ranpilot.experiments.adviser import train_adviser
    from ranpilot.runs import make_progress, write_json

    with make_progress(show=True) as progress:
        report = train_adviser(
            split_names(task) or [], scenario=scenario, load=load, method=method, depth=depth, states=states,
            steps=steps, heldout_states=heldout_states, draws=draws, heldout_draws=heldout_draws,
            focus_states=focus_states, heldout_focus_states=heldout_focus_states, dtype=dtype, seed=seed, out=out,
            labels=labels, new=new, progress=progress,
        )  # fmt: skip
    for title, lines in report.tables():
        make_console().print(make_table(title, lines))
    if json_file is not None:
        write_json(json_file, report.flat())
    say(f"adapter: {report.adapter}")


COMMANDS: dict[str, Command] = {"choose": choose, "train": train}
