"""All pieces of an experiment spread by Ray over processes, or over the machines of a cluster.

Every machine reads and writes the run folder under the same path, so a cluster needs a file system that all share.
A piece is played by the same function as without Ray, so its numbers are the same too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ranpilot.errors import CheckpointError, MissingExtraError, RanpilotError
from ranpilot.experiments.plan import Job, Plan
from ranpilot.runs import Interrupted, Progress, RunFolder, StopRequest

__all__ = ["LOCAL", "run_on_ray"]

LOCAL = "local"
"""The address that stands for a cluster of this machine alone, begun and ended here."""
_POLL_S = 0.5


def run_on_ray(plan: Plan, folder: RunFolder, progress: Progress, *, address: str, checkpoint_s: float) -> None:
    """Play every piece that is not finished, each a task of one core.

    address: `local`, `auto` for the cluster that this machine is part of, or as `ray.init` takes it.
    Raises MissingExtraError without Ray, Interrupted after Ctrl-C, when everything up to the last episode is on disk.
    """
    ray = _import_ray()
    todo = sorted((job for job in plan.jobs() if not folder.cell(*job).is_finished), key=lambda job: -plan.work(job))
    done = {job: plan.done(job, folder.cell(*job)) for job in plan.jobs()}
    progress.expect(sum(plan.work(job) for job in plan.jobs()), sum(done.values()))
    if not todo:
        return
    # One thread each: Ray counts cores.
    environment = {"env_vars": {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}}
    try:
        ray.init(
            None if address == LOCAL else address, include_dashboard=False if address == LOCAL else None,
            log_to_driver=False, configure_logging=False, runtime_env=environment,
        )  # fmt: skip
    except ConnectionError as error:
        raise RanpilotError(f"ray = {address!r} cannot be reached ({error}); start it with: ray start --head") from None
    try:
        _follow(ray, plan, folder, todo, done, progress, checkpoint_s)
    finally:
        ray.shutdown()


def _follow(
    ray: Any, plan: Plan, folder: RunFolder, todo: list[Job], done: dict[Job, float], progress: Progress, every_s: float
) -> None:
    task = ray.remote(num_cpus=1, max_retries=0)(_play)
    path = str(folder.path.resolve())
    waiting = {task.remote(plan, path, job, every_s): job for job in todo}
    with StopRequest() as stop:
        while waiting:
            if stop.requested:
                progress.note("Stopping: writing checkpoints ...")
                for reference in waiting:
                    ray.cancel(reference)
                ray.wait(list(waiting), num_returns=len(waiting))
                raise Interrupted
            ready, _ = ray.wait(list(waiting), timeout=_POLL_S)
            for reference in ready:
                job = waiting.pop(reference)
                try:
                    sentence = ray.get(reference)
                except ray.exceptions.RayError as error:
                    failed = f"a worker of Ray failed at {' · '.join(job)} ({type(error).__name__}: {error})"
                    again = "repeat the command to go on from the last checkpoints"
                    raise CheckpointError(str(folder.path), failed, again) from None
                if sentence:
                    raise RanpilotError(sentence)
                progress.advance(plan.work(job) - done[job], " · ".join(job))


def _play(plan: Plan, path: str, job: Job, checkpoint_s: float) -> str:
    """One piece, in a worker; what went wrong in one sentence, or nothing."""
    folder = RunFolder(Path(path))
    if not folder.path.is_dir():
        return str(
            CheckpointError(path, f"is not there on {os.uname().nodename}", "use a folder that all machines share")
        )
    try:
        with StopRequest() as stop:
            plan.play(job, folder.cell(*job), _nobody_listens, stop, checkpoint_s)
    except Interrupted:
        return ""
    except RanpilotError as error:
        return str(error)
    return ""


def _nobody_listens(amount: float, text: str) -> None:
    """Progress is told piece by piece, by whoever waits for them."""


def _import_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "Spreading an experiment by Ray", "pip install 'ranpilot[ray]'") from None
    return ray
