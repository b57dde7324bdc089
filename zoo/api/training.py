"""Training and what comes of it: models, runs, vectors. TensorFlow is imported when one of these is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.catalog import suggesting_plugins
from zoo.catalog import catalog

if TYPE_CHECKING:
    import keras

    from zoo.compose.encoder import Unfreeze
    from zoo.data.augment import Augment
    from zoo.data.examples import Target
    from zoo.inference.how import Engine, Precision
    from zoo.runs.compare import Difference
    from zoo.runs.embed import Vectors
    from zoo.runs.run import Run
    from zoo.training.plan import Cache, Plan


def build(
    backbone: str,
    *,
    weights: str = "default",
    head: str | None = None,
    labels: Sequence[Target] = (),
    options: Mapping[str, Any] | None = None,
) -> keras.Model:
    """A Keras model that takes raw pixels, RGB 0..255, (batch, height, width, 3), of any height and width; or strings
    (batch,), of pairs a list of two such.

    Without a head it gives a dict of features (`pooled` (batch, dim), `map` (batch, height, width, channels)); with a
    head its answer, untrained: `classification` gives probabilities (batch, labels), in natural order of the labels.

    labels   targets from which the head learns its classes, or the range of its numbers; `embedding` needs none
    weights  "default", "none" (random), the name of one of the backbone's weights, or the path of a file

    >>> import numpy as np, zoo
    >>> model = zoo.build("efficientnet_lite0")
    >>> pixels = np.full((2, 300, 200, 3), 255.0, "float32")
    >>> model(pixels)["pooled"].shape
    TensorShape([2, 1280])
    """
    from zoo.compose.encoder import build_encoder
    from zoo.compose.model import compose, from_raw
    from zoo.compose.task import fitting_head, make_task

    with suggesting_plugins():
        offer = catalog().backbone(backbone)
        chosen = fitting_head(head, offer) if head is not None else None
    if chosen is None:
        return from_raw(build_encoder(offer, weights))
    task = make_task(chosen, options or {})
    if chosen.spec.trained:
        task.learn(labels, ("label",))
    return compose(build_encoder(offer, weights), task, chosen.spec).model


def train(
    backbone: str,
    data: str | Path,
    *,
    head: str = "classification",
    out: str | Path | None = None,
    val: str | Path | None = None,
    input_column: str = "",
    target_column: str = "",
    weights: str = "default",
    unfreeze: Unfreeze = 0,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    layer_decay: float | None = None,
    seed: int = 0,
    augment: Augment = "none",
    cache: Cache = "auto",
    precision: Precision = "auto",
    engine: Engine = "auto",
    options: Mapping[str, Any] | None = None,
) -> Run:
    """Fine-tune a backbone on pictures or texts, and write a run folder.

    data      a folder with a sub-folder for each class, or `train/` and `val/` folders of such; or a table (CSV, TSV,
              JSONL, Parquet) with the columns `image` (paths seen from the table) or `text`, and `label`, or as named
              with `input_column` and `target_column`
    out       the run folder to make; `runs/NAME-OF-THE-DATA` (-2, -3, ...) where none is given
    unfreeze  train the last so many stages too (or "all"): of pictures in a second phase, after the head; of texts
              together with the head, with AdamW, linear warm-up and decay
    epochs    of each phase, at most; training ends earlier when the validation loss no longer falls
    lr        learning rate of the first phase; the second phase, of pictures, has a tenth of it
    layer_decay  texts: each stage learns so many times slower than the one after it, for example 0.9
    augment   of pictures, train on changed ones too: "light" (mirrored, moved, turned a little), "strong"; or "none"
    cache     keep what the frozen part gives: "on"; "off": compute it in every epoch; "auto": as it pays
    precision  to compute in, weights staying float32: "float32", "bfloat16", "float16"; or "auto", what the machine has
    engine    that runs the frozen backbone: "tensorflow", "openvino", or "auto", OpenVINO where it is installed
    options   of the head, as `zoo heads` shows them: {"label_smoothing": 0.1}

    Raises a `zoo.ZooError` that says what is wrong and what would mend it.

    >>> import zoo
    >>> run = zoo.train("efficientnet_lite0", "examples/data/clipart", out="runs/clipart")
    >>> run.metrics["accuracy"] > 0.6
    True
    >>> run.predict(["examples/data/unseen/butterfly.png"])[0]["label"]
    'bugs'
    """
    from zoo.training.plan import BATCH_SIZE, Plan, default_phases

    with suggesting_plugins():
        spec = catalog().backbone(backbone).spec
    plan = Plan(
        backbone=backbone,
        data=str(data),
        head=head,
        weights=str(weights),
        val=str(val or ""),
        input_column=input_column,
        target_column=target_column,
        seed=seed,
        augment=augment,
        cache=cache,
        precision=precision,
        engine=engine,
        batch_size=BATCH_SIZE if batch_size is None else batch_size,
        options=dict(options or {}),
        phases=default_phases(spec, unfreeze, epochs, lr, layer_decay),
    )
    return _carry_out(plan, out)


def train_plan(path: str | Path, *, out: str | Path | None = None) -> Run:
    """Carry out a `plan.toml`, for example another run's, to repeat it: the same split, order and figures.

    What is otherwise than in that run (the data, versions, weights) is said before the training.
    """
    from zoo.runs.folder import RunFolder
    from zoo.training.plan import Plan

    plan, of = Plan.from_toml(Path(path)), RunFolder(Path(path).parent)
    if not of.exists("provenance.json"):
        return _carry_out(plan, out)
    return _carry_out(plan.seen_from(Path(of.read_json("provenance.json").get("folder", "."))), out, of.path)


def resume(run: str | Path, *, finish: bool = False) -> Run:
    """Go on with a training that was broken off, from its last checkpoint: the result is as if it had not been.

    finish  train no more: the run gets the best weights so far

    Raises `zoo.BadRun` where the run is finished, another process trains it, or the data has changed since.
    """
    from zoo.training.trainer import resume as carry_out

    with suggesting_plugins():
        return carry_out(Path(run), finish)


def diff(first: str | Path, second: str | Path) -> list[Difference]:
    """What differs between two runs in plan, data, versions and figures."""
    from zoo.runs.compare import diff as compare

    return compare(Path(first), Path(second))


def load_run(path: str | Path) -> Run:
    """A finished run, to predict and evaluate with.

    >>> import zoo
    >>> run = zoo.load_run("runs/clipart")
    >>> answer = run.predict(["examples/data/unseen/butterfly.png"])[0]
    >>> answer["label"], list(answer["probabilities"])[0]
    ('bugs', 'bugs')
    >>> sorted(run.evaluate("examples/data/clipart").metrics)
    ['accuracy', 'cross_entropy', 'macro_f1']
    """
    from zoo.runs.run import Run

    return Run(path)


def embed(
    backbone: str,
    data: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    input_column: str = "",
    weights: str = "default",
    options: Mapping[str, Any] | None = None,
) -> Vectors:
    """Vectors of pictures or texts from a backbone as it is, for search and clustering: nothing is trained.

    data  pictures, texts, `.txt` files, folders of them, tables (column `image` or `text`, or `input_column`)
    out   a Parquet file to write: the columns `input`, `text` (of texts) and `vector`

    Returns inputs, texts and `values`, float32 (inputs, dim), each of length 1, so that `values @ values.T` are
    cosines. What cannot be read is left out, and stands in `skipped`.

    >>> import zoo
    >>> vectors = zoo.embed("minilm_l6", ["A cat sits on the mat.", "A feline rests on a rug.", "Shares fell."])
    >>> (vectors.values @ vectors.values.T)[0].round(1).tolist()
    [1.0, 0.6, 0.0]
    """
    from zoo.runs.embed import check_out
    from zoo.runs.embed import embed as carry_out

    if out is not None:
        check_out(Path(out))
    given = [data] if isinstance(data, (str, Path)) else list(data)
    with suggesting_plugins():
        vectors = carry_out(backbone, given, input_column, str(weights), options or {})
    if out is not None:
        vectors.write(Path(out))
    return vectors


def _carry_out(plan: Plan, out: str | Path | None, of: Path | None = None) -> Run:
    from zoo.training.trainer import train as carry_out

    with suggesting_plugins():
        return carry_out(plan, Path(out) if out is not None else None, of)
