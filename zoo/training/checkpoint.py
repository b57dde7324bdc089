"""Checkpoints of a training: one file each, complete or not there; the last two are kept."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from zoo.errors import BadPlan, BadRun
from zoo.progress import say
from zoo.runs.folder import RunFolder

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
KEPT = 2
MINUTES = 3.0
_HEADER = "facts"
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RecursionError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


def seconds_between() -> float:
    """Seconds between checkpoints within an epoch: `ZOO_CHECKPOINT_SECONDS`, or three minutes."""
    text = os.environ.get("ZOO_CHECKPOINT_SECONDS", "")
    try:
        seconds = float(text or 60 * MINUTES)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise BadPlan(f"ZOO_CHECKPOINT_SECONDS is {text!r}. It must be a number of seconds, for example 60.")
    return seconds


Count = Annotated[int, Meta(ge=0, le=2**50)]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a training is: everything that decides how it continues, except the values of variables.

    phase     the number of the current phase, from 0; the number of phases if all are finished
    epoch     completed epochs of the phase
    batch     completed steps of the current epoch
    logs      the training metrics of the epoch, if all of its steps are done
    best      the lowest validation loss so far, which belongs to the best weights
    idle      epochs since then
    rows      the rows of history.csv
    kept      whether the features of the frozen part are cached, as decided at the start of the phase
    baseline  name and metrics of the baseline, once it is known
    built     checksum of the model before the training
    seconds   how long each part has taken so far
    to_finish  whether it only serves to finish with the best weights: the training itself cannot go on from here
    """

    phase: Count = 0
    epoch: Count = 0
    batch: Count = 0
    logs: dict[str, float] = {}
    best: float | None = None
    idle: Count = 0
    rows: list[dict[str, Any]] = []
    kept: bool | None = None
    baseline: tuple[str, dict[str, float]] | None = None
    built: str = ""
    seconds: dict[str, float] = {}
    to_finish: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if not isinstance(row.get("val_loss"), (int, float)):
                raise ValueError(f"val_loss in rows is {row.get('val_loss')!r}, which is no number")

    @property
    def at_start(self) -> bool:
        """Whether nothing has been done yet."""
        return self.phase == self.epoch == self.batch == 0

    @property
    def better_than_all_epochs(self) -> bool:
        """Whether no epoch was as good as the weights that were there before."""
        return self.best is not None and all(self.best < row["val_loss"] for row in self.rows)


class _Header(Position, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of the file besides the arrays."""

    format: Literal[1] = 1


@dataclass(frozen=True)
class Checkpoint:
    """A position and the values of the variables there.

    arrays  "model/N", "best/N": the variables that the training has changed; "optimizer/N"; "metrics/N"
    """

    position: Position
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    def of(self, kind: str) -> dict[int, np.ndarray]:
        """The arrays of one kind, by their numbers."""
        names = (name.partition("/") for name in self.arrays)
        return {int(number): self.arrays[f"{kind}/{number}"] for first, _, number in names if first == kind}


class Checkpoints:
    """The folder `checkpoints/` of a run."""

    def __init__(self, folder: RunFolder) -> None:
        self._run = folder
        self._path = folder.path / "checkpoints"

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the next file, and delete those older than the last two. Raises `BadRun` if it cannot be written."""
        files = self._files()
        number = int(files[-1].stem) + 1 if files else 1
        header = {"format": FORMAT} | msgspec.to_builtins(checkpoint.position)

        def write(path: Path) -> None:
            import numpy as np

            with path.open("wb") as file:
                np.savez(
                    file,
                    allow_pickle=False,
                    **{_HEADER: np.array(json.dumps(header))},
                    **checkpoint.arrays,
                )

        try:
            self._path.mkdir(exist_ok=True)
            RunFolder(self._path).write(f"{number:06}.npz", write)
        except (OSError, BadRun) as error:
            raise BadRun(
                f"Cannot write a checkpoint to {self._path} ({error}). Free some space, then continue: "
                f"{self._run.command('resume')}"
            ) from None
        for old in files[: -(KEPT - 1)]:
            old.unlink(missing_ok=True)

    def load(self, finish: bool = False) -> Checkpoint | None:
        """The newest checkpoint; None if there is none. A damaged or altered one is skipped, with a message.

        finish  whether the run is to be finished with the best weights, for which some checkpoints alone are made

        Raises `BadRun` if there are some, and all are damaged, or if one cannot be read for another reason.
        """
        files = self._files()
        for path in reversed(files):
            try:
                found = _read(path)
                if finish or not found.position.to_finish:
                    return found
            except _DAMAGED as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise BadRun(f"{path} cannot be read: {error.strerror}. Make it readable, and try again.") from None
                reason = str(error).partition("\n")[0]
                if path == files[0]:
                    raise BadRun(
                        f"{self._run.path} cannot be resumed: all of its checkpoints are damaged ({path}: {reason}). "
                        f"To start again: {self._run.command('train --plan', 'plan.toml')}"
                    ) from None
                say(f"{path} is damaged ({reason}), so the one before it is used.")
        return None

    def clear(self) -> None:
        """Delete all checkpoints, once the run is finished."""
        for path in self._files():
            path.unlink(missing_ok=True)
        if self._path.is_dir() and not any(self._path.iterdir()):
            self._path.rmdir()

    def _files(self) -> list[Path]:
        return sorted(path for path in self._path.glob("*.npz") if path.stem.isdecimal())


def _read(path: Path) -> Checkpoint:
    """Read all arrays and check their checksums; a damaged file raises one of `_DAMAGED`. Nothing is unpickled."""
    import numpy as np

    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = msgspec.convert(json.loads(str(arrays.pop(_HEADER))), _Header)
    content = {name: getattr(header, name) for name in Position.__struct_fields__}
    return Checkpoint(Position(**content), arrays)
