"""What TensorBoard shows of a finished run: its settings beside its figures (HParams), and its confusion matrices."""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.examples import Split
from zoo.plan import Plan
from zoo.progress import say
from zoo.runs.folder import RunFolder
from zoo.runs.predictions import Judged

if TYPE_CHECKING:
    from zoo.compose.task import Figure

FILE = "logs/events.out.tfevents.0.result"  # one name, so that a run that is finished twice has it once
_WITH_NUMBERS = 20  # classes of which each cell of a matrix shows its count
_WITH_LABELS = 60  # classes that are named
_LONGEST = 24  # letters of a name


def write_board(folder: RunFolder, plan: Plan, started: str, judged: Mapping[Split, Judged]) -> None:
    """Write the settings of a run, and for each split its metrics and its matrices as pictures, for TensorBoard.

    started  when the training was started, in ISO 8601

    Raises `BadRun` if the file cannot be written. A figure that cannot be drawn is left out, and named.
    """
    from tensorboard.plugins.hparams.summary import session_end_pb
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb

    start = datetime.fromisoformat(started).timestamp() if started else None
    summaries = [hparams_pb(plan.compared(), start_time_secs=start)]
    for split, one in judged.items():
        summaries += [scalar_pb(f"{split}/{name}", value) for name, value in one.metrics.items()]
        for figure in one.figures:
            if figure.get("kind") == "matrix":
                try:
                    summaries.append(_picture(f"{split}/{figure['title']}", _drawn(figure)))
                except Exception as error:  # the figure is the head's, and may be anything
                    say(f"A confusion matrix cannot be drawn for TensorBoard: {type(error).__name__}: {error}")
    summaries.append(session_end_pb("STATUS_SUCCESS"))
    folder.write(FILE, lambda path: _write(path, summaries))


def _write(path: Path, summaries: Sequence[Any]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    now = time.time()
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        for summary in summaries:
            event = Event(wall_time=now, step=0)
            event.summary.ParseFromString(summary.SerializeToString())  # it may be of TensorFlow's class
            writer.write(event.SerializeToString())


def _picture(tag: str, png: bytes) -> Any:
    """A picture as TensorBoard keeps it: width, height and PNG, as texts."""
    from PIL import Image
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.image.metadata import create_summary_metadata
    from tensorboard.util.tensor_util import make_tensor_proto

    width, height = Image.open(io.BytesIO(png)).size
    tensor = make_tensor_proto([str(width).encode(), str(height).encode(), png])
    about = create_summary_metadata(display_name="", description="Rows are the true classes, columns the answers.")
    return Summary(value=[Summary.Value(tag=tag, metadata=about, tensor=tensor)])


def _drawn(figure: Figure) -> bytes:
    """A matrix as PNG: each row in shades of its share, with counts and names as far as they can be read."""
    import numpy as np
    from matplotlib.figure import Figure as Canvas

    values, labels = np.asarray(figure["values"]), [_short(str(label)) for label in figure["labels"]]
    count = len(labels)
    if values.shape != (count, count):
        raise ValueError(f"its values have the shape {values.shape}, and there are {count} labels")
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
    side = min(2 + 0.35 * count, 12)
    canvas = Canvas(figsize=(side, side), layout="constrained")
    axes = canvas.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(title=figure["title"], xlabel="answer", ylabel="true class")
    named = range(count) if count <= _WITH_LABELS else []
    size = 9 if count <= _WITH_NUMBERS else 6
    axes.set_xticks(named, labels[: len(named)], rotation=90, parse_math=False, fontsize=size)
    axes.set_yticks(named, labels[: len(named)], parse_math=False, fontsize=size)
    if count <= _WITH_NUMBERS:
        for (row, column), share in np.ndenumerate(shares):
            colour = "white" if share > 0.5 else "black"
            axes.text(
                column, row, str(values[row, column]), ha="center", va="center", color=colour, fontsize=8
            ).set_in_layout(False)
    png = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that the font lacks
        canvas.savefig(png, format="png")
    return png.getvalue()


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
