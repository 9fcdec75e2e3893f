"""All pieces of an experiment, one after another or spread over processes; each piece resumes by itself."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import queue
import traceback
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranpilot.errors import CheckpointError, RanpilotError
from ranpilot.experiments.plan import Job, Plan
from ranpilot.runs import Interrupted, Progress, RunFolder, StopRequest

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Event

__all__ = ["run_grid"]

_POLL_S = 0.5


def run_grid(plan: Plan, folder: RunFolder, progress: Progress, *, workers: int, checkpoint_s: float) -> None:
    """Play every piece that is not finished; with more than one worker each runs in a process of its own.

    Raises Interrupted after Ctrl-C, when everything up to the last episode is on disk.
    """
    todo = [job for job in plan.jobs() if not folder.cell(*job).is_finished]
    progress.expect(
        sum(plan.work(job) for job in plan.jobs()), sum(plan.done(job, folder.cell(*job)) for job in plan.jobs())
    )
    if todo and not _has_compiled_kernels():
        progress.note("Compiling the simulator's kernels, once on this machine; this takes a few minutes ...")
    if workers > 1 and len(todo) > 1:
        _Workers(plan, folder, progress, min(workers, len(todo)), checkpoint_s).run(todo)
        return
    with StopRequest() as stop:
        for job in todo:
            plan.play(job, folder.cell(*job), progress.advance, stop, checkpoint_s)


def _has_compiled_kernels() -> bool:
    """Whether an earlier run left compiled kernels of these sources; importing `kernels` is what sets the folder."""
    kernels = importlib.import_module("ranpilot.kernels")
    return Path(kernels.numba.config.CACHE_DIR).exists()


class _Workers:
    """A few processes that take pieces from a queue; the longest go first."""

    def __init__(self, plan: Plan, folder: RunFolder, progress: Progress, count: int, every_s: float) -> None:
        self.plan, self.folder, self.progress = plan, folder, progress
        context = multiprocessing.get_context("spawn")
        self.jobs: Queue[Any] = context.Queue()
        self.messages: Queue[Any] = context.Queue()
        self.stop_all = context.Event()
        arguments = (
            plan,
            folder.path,
            self.jobs,
            self.messages,
            self.stop_all,
            every_s,
            os.getpid(),
        )
        self.processes: list[SpawnProcess] = [
            context.Process(target=_work, args=arguments, daemon=True) for _ in range(count)
        ]

    def run(self, todo: list[Job]) -> None:
        for job in sorted(todo, key=lambda job: -self.plan.work(job)):
            self.jobs.put(job)
        for _ in self.processes:
            self.jobs.put(None)
        with StopRequest() as stop:
            self._start()
            try:
                self._follow(len(todo), stop)
            finally:
                self._wait_for_safe_points()

    def _start(self) -> None:
        """Start the processes with their share of the machine's threads; they read it from the environment."""
        threads = str(max(1, (os.cpu_count() or 1) // len(self.processes)))
        wanted = {"NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update({name: value for name, value in wanted.items() if before[name] is None})
        try:
            for process in self.processes:
                process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]

    def _follow(self, pieces: int, stop: StopRequest) -> None:
        finished = 0
        while finished < pieces:
            if stop.requested:
                self.progress.note("Stopping: writing checkpoints ...")
                raise Interrupted
            try:
                kind, first, second = self.messages.get(timeout=_POLL_S)
            except queue.Empty:
                self._check_alive()
                continue
            if kind == "tick":
                self.progress.advance(first, second)
            elif kind == "finished":
                finished += 1
            elif kind == "sentence":
                raise RanpilotError(first)
            else:
                raise RuntimeError(f"{first} failed in a worker process:\n{second}")

    def _wait_for_safe_points(self) -> None:
        """Let every worker end its episode and write its checkpoint; none is left behind."""
        self.stop_all.set()
        while any(process.is_alive() for process in self.processes):
            try:
                self.messages.get(timeout=_POLL_S)
            except queue.Empty:
                continue

    def _check_alive(self) -> None:
        for process in self.processes:
            if process.exitcode:
                raise CheckpointError(
                    str(self.folder.path),
                    f"a worker process ended with code {process.exitcode} (out of memory or killed)",
                    "repeat the command to go on from the last checkpoints, with fewer --workers if memory ran out",
                )


def _work(
    plan: Plan,
    path: Path,
    jobs: Queue[Any],
    messages: Queue[Any],
    stop_all: Event,
    every_s: float,
    parent: int,
) -> None:
    """A worker process: pieces from the queue until None comes or a stop is asked for, also by the parent's death."""
    folder = RunFolder(path)

    def orphaned_or_stopped() -> bool:
        return stop_all.is_set() or os.getppid() != parent

    with StopRequest(orphaned_or_stopped) as stop:
        while (job := jobs.get()) is not None and not stop.requested:
            try:
                plan.play(job, folder.cell(*job), _sender(messages), stop, every_s)
            except Interrupted:
                break
            except RanpilotError as error:
                messages.put(("sentence", str(error), ""))
                return
            except BaseException:
                messages.put(("failure", " · ".join(job), traceback.format_exc()))
                raise
            messages.put(("finished", *job))
        if stop.requested and not stop_all.is_set():
            # Told to end by somebody else: the one who waits must know.
            messages.put(("sentence", f"{path}: a worker process was stopped; repeat the command to go on.", ""))


def _sender(messages: Queue[Any]) -> Any:
    return lambda amount, text: messages.put(("tick", amount, text))
