"""Follows trainings, and lets none of them fail because of MLflow: what goes wrong there is said in a sentence."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zoo
from zoo.progress import say
from zoo_mlflow.tracker import Tracker, without_secrets

_SECONDS = 60.0  # in which MLflow has to answer at the start of a training
_BETWEEN = 1.0  # seconds between two reports of epochs
_LONGEST = 300  # letters of a reason

_followed: dict[Path, Follower] = {}  # by run folder, until the run is finished


class Follower:
    """Reports one training; after the first failure, nothing more before the end of the training."""

    def __init__(self, path: Path) -> None:
        self._tracker, self._path, self._silent, self._last = Tracker(path), path, False, 0.0

    def begin(self) -> None:
        self._try(lambda: _within(_SECONDS, self._tracker.begin), "MLflow does not answer")

    def epoch(self) -> None:
        """Report the epochs that are new, now and then: an epoch of a head is shorter than a report may take."""
        if not self._silent and time.monotonic() - self._last >= _BETWEEN:
            self._try(self._tracker.report_epochs, "MLflow answers no more")
            self._last = time.monotonic()

    def finish(self, run: Any) -> None:
        """Report the whole run, also if MLflow did not answer before. That it does not is only said once."""
        try:
            _within(_SECONDS, self._tracker.begin)
            self._tracker.report(run)
        except Exception as error:
            self._tracker.give_up()
            if not self._silent:
                say(f"MLflow has not got all of the run ({reason(error)}). To report it again: {_command(self._path)}")

    def _try(self, work: Callable[[], None], trouble: str) -> None:
        try:
            work()
        except Exception as error:
            self._silent = True
            later = f"To report it later: {_command(self._path)}"
            say(f"{trouble} ({reason(error)}). The training goes on; MLflow is tried again at its end. {later}")


def callbacks(path: Path) -> list[Any]:
    """The callbacks for one phase of the training in this run folder."""
    import keras

    key = path.resolve()
    if key not in _followed:
        _followed[key] = Follower(path)
        _followed[key].begin()
    follower = _followed[key]
    return [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: follower.epoch())]


def finished(run: Any) -> None:
    """Report a run that has just been finished."""
    follower = _followed.pop(run.path.resolve(), None) or Follower(run.path)
    follower.finish(run)


def report(run: Any) -> None:
    """Report a finished run. Raises `zoo.ZooError` if MLflow does not take it."""
    tracker = Tracker(run.path)
    try:
        _within(_SECONDS, tracker.begin)
        tracker.report(run)
    except Exception as error:
        tracker.give_up()
        raise zoo.ZooError(f"MLflow does not take the run: {reason(error)}") from None
    say(f"{run.path} is the run {tracker.run_id} of MLflow.")


def reason(error: BaseException) -> str:
    """An error as one line, without what gives access to a server."""
    text = without_secrets(re.sub(r"\s+", " ", f"{type(error).__name__}: {error}").strip())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _command(path: Path) -> str:
    return f"zoo mlflow {shlex.quote(str(path))}"


def _within(seconds: float, work: Callable[[], None]) -> None:
    """Do some work in another thread, and wait for it. Raises what it raises, or `TimeoutError`."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer in {seconds:g} s")
    if errors:
        raise errors[0]
