"""Training and what comes of it: models, runs, vectors. TensorFlow is imported when one of these is called."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.api.catalog import suggesting_plugins
from zoo.catalog import catalog
from zoo.errors import ZooError
from zoo.places import data_address, is_place, local_path
from zoo.plan import Recipe, Settings
from zoo.progress import counted, say
from zoo.structs import checked, metadata, plain_type

if TYPE_CHECKING:
    import keras

    from zoo.data.inputs import Input
    from zoo.data.reader import Target
    from zoo.plan import Plan
    from zoo.prediction.embed import Vectors
    from zoo.reports.compare import Comparison
    from zoo.reports.problems import Problem
    from zoo.runs.compare import Difference
    from zoo.runs.listing import RunSummary
    from zoo.runs.run import Run

_RUNS = "run folders"


def _documented(function: Callable[..., Run]) -> Callable[..., Run]:
    """Show the settings that a function takes by name in its signature and its docstring."""
    fields = [(kind, field) for kind in (Recipe, Settings) for field in msgspec.structs.fields(kind)]
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    made = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default={} if field.default is msgspec.NODEFAULT else field.default,
            annotation=plain_type(field.type) | None if field.default is None else plain_type(field.type),
        )
        for _, field in fields
    ]
    function.__signature__ = signature.replace(parameters=[*own, *made])  # type: ignore[attr-defined]
    width = max(len(field.name) for _, field in fields)
    lines = [f"    {field.name:<{width}}  {metadata(kind, field.name)['description']}" for kind, field in fields]
    function.__doc__ = (function.__doc__ or "").replace("    {settings}", "\n".join(lines))
    return function


@_documented
def train(
    backbone: str, data: str | Path, *, out: str | Path | None = None, report: bool | None = None, **settings: Any
) -> Run:
    """Fine-tune a backbone on pictures or texts, and write a run folder.

    data  a folder with a sub-folder for each class, or with `train/`, `val/`, `test/` folders of such; or a table (CSV,
          TSV, JSON, Parquet, Excel) with the columns `image` (paths seen from the table) or `text`, and `label`, or as
          named with `input_column` and `target_column`; on this disk or at an address that fsspec knows
    out   the run folder to make; `runs/NAME-OF-THE-DATA` (-2, -3, ...) where none is given
    report  whether to write `report.html` at the end, too; without it, unless ZOO_REPORT=0 is set

    And the settings of the command line:

    {settings}

    Pictures: stages that are unfrozen are trained in a second phase, after the head, at a tenth of the rate. Texts:
    together with the head from the start, with AdamW, linear warm-up and decay. A phase ends earlier when the
    validation loss no longer falls. `options` are those of the head, as `zoo heads` shows them:
    {"label_smoothing": 0.1}.

    Raises a `zoo.ZooError` that says what is wrong and how to fix it.

    >>> import zoo
    >>> run = zoo.train("efficientnet_lite0", "examples/data/clipart", out="runs/clipart")
    >>> run.metrics["accuracy"] > 0.6
    True
    >>> run.predict(["examples/data/unseen/butterfly.png"])[0]["label"]
    'bugs'
    """
    from zoo.plan import Plan
    from zoo.training.recipe import phases

    recipe, known = _settings(settings)
    with suggesting_plugins():
        spec = catalog().backbone(backbone).spec
    given = msgspec.structs.asdict(checked(known, Settings))
    plan = Plan(**given, backbone=backbone, data=data_address(data), phases=phases(spec, recipe))
    return _finished(_carry_out(plan, out), report)


def train_plan(path: str | Path, *, out: str | Path | None = None, report: bool | None = None, **settings: Any) -> Run:
    """Carry out a `plan.toml`, for example another run's, to repeat it: the same split, order and figures.

    report    whether to write `report.html` at the end, too; without it, unless ZOO_REPORT=0 is set
    settings  those of `train` that are to be different: `epochs` in each phase, `lr` in the first (the others keep
              their share of it), and everything but `unfreeze` and `layer_decay`, which decide the phases

    What has changed since that run (the data, versions, weights) is said before the training.
    """
    from zoo.plan import Plan
    from zoo.runs.folder import RunFolder
    from zoo.runs.provenance import read_provenance
    from zoo.training.recipe import changed

    file = local_path(path, "plans")
    plan, of = Plan.from_toml(file), RunFolder(file.parent)
    folder = Path(read_provenance(of)["folder"]) if of.exists("provenance.json") else None
    given = [name for name, value in settings.items() if value is not None]
    plan = changed(plan.seen_from(folder) if folder else plan, *_settings(settings), given)
    return _finished(_carry_out(plan, out, of.path if folder else None), report)


def resume(run: str | Path, *, finish: bool = False, report: bool | None = None) -> Run:
    """Continue a training that was interrupted, from its last checkpoint: the result is as if it had not been.

    finish  train no more: the run gets the best weights so far
    report  whether to write `report.html` at the end, too; without it, unless ZOO_REPORT=0 is set

    Raises `zoo.BadRun` where the run is finished, another process trains it, or the data has changed since.
    """
    from zoo.training.trainer import resume as carry_out

    with suggesting_plugins():
        finished = carry_out(local_path(run, _RUNS), finish)
    return _finished(finished, report)


def list_runs(folder: str | Path = "runs") -> list[RunSummary]:
    """The runs in a folder and below it, the one started last at the end; none of them is loaded.

    >>> import zoo
    >>> [(run.backbone, run.state) for run in zoo.list_runs("runs")]
    [('efficientnet_lite0', 'finished')]
    """
    from zoo.runs.listing import list_runs as found_in

    return found_in(local_path(folder, _RUNS))


def report(run: str | Path, data: str | Path = "", *, out: str | Path | None = None) -> Path:
    """Write the report of a finished run, one self-contained page, and return its file.

    data  other data with targets, on which the run is judged as `Run.evaluate` does; without it, the report is on the
          validation examples, as at the end of the training
    out   the file, which is replaced; without it, `report.html` in the run folder (with `data`, `report-NAME.html`)

    Raises `zoo.BadRun` where the run is not finished or the file cannot be written.
    """
    from zoo.reports.report import write_report
    from zoo.runs.run import Run

    file = local_path(out, "reports") if out is not None else None
    return write_report(Run(local_path(run, _RUNS)), file, data_address(data) if data else "")


def find_errors(run: str | Path, *, csv: str | Path | None = None) -> list[Problem]:
    """What may be wrong with the data of a finished run, ranked: targets, copies on both sides of the split, outliers.

    From the features of its backbone as it was before the training, which are computed where the cache lacks them. Each
    problem has `problem`, `score`, `input`, `split`, `target`, `suggested`, and of copies `other` and its target.

    csv  a table to write, to go through in a spreadsheet; `train_corrected` takes it

    Raises `zoo.BadData` where the run's data is no longer there.
    """
    from contextlib import closing

    from zoo.compose.head import restore_task
    from zoo.reports.features import kept_features
    from zoo.reports.problems import problems, write_problems
    from zoo.reports.shown import Shelf
    from zoo.runs.run import Run

    finished = Run(local_path(run, _RUNS))
    with closing(Shelf(finished)) as shelf:
        kept = kept_features(finished, shelf)
    if kept.left:
        say(
            f"{counted(kept.left, 'examples')} were not looked at: there are too many, or they cannot be read any more."
        )
    found = problems(finished, kept, restore_task(finished.card.head, finished.card.task))
    if csv is not None:
        write_problems(local_path(csv, "tables"), found)
    return found


def train_corrected(
    run: str | Path, file: str | Path, *, out: str | Path | None = None, report: bool | None = None
) -> Run:
    """Repeat a run on its data with corrected targets, in the same split.

    file  the table that `find_errors` wrote, with the right targets in the column `new_target`, or "remove"

    The corrected data is written beside it, as a table. Raises `zoo.BadData` for a table that does not fit the run.
    """
    from zoo.reports.corrected import corrected_plan
    from zoo.runs.run import Run

    plan = corrected_plan(Run(local_path(run, _RUNS)), local_path(file, "tables"))
    return _finished(_carry_out(plan, out), report)


def compare(*runs: str | Path, out: str | Path | None = None, timed: bool = True) -> Comparison:
    """Compare finished runs: how good each is, how large and how fast, and whether differences are more than chance.

    out    a page to write, one HTML file
    timed  whether to measure the milliseconds that each takes for an example, which loads their models

    Raises `zoo.BadRun` for fewer than two runs, and where one is not finished.
    """
    from zoo.reports.compare import compare as carry_out
    from zoo.reports.compare import write_comparison
    from zoo.runs.run import Run

    finished = [Run(local_path(run, _RUNS)) for run in runs]
    compared = carry_out(finished, timed)
    if out is not None:
        write_comparison(finished, compared, local_path(out, "pages"))
    return compared


def diff(first: str | Path, second: str | Path) -> list[Difference]:
    """What differs between two runs in plan, data, versions and figures."""
    from zoo.runs.compare import diff as compare

    return compare(local_path(first, _RUNS), local_path(second, _RUNS))


def load_run(path: str | Path) -> Run:
    """A finished run, to look at, predict and evaluate with. TensorFlow starts at the first prediction.

    >>> import zoo
    >>> run = zoo.load_run("runs/clipart")
    >>> answer = run.predict(["examples/data/unseen/butterfly.png"])[0]
    >>> answer["label"], list(answer["probabilities"])[0]
    ('bugs', 'bugs')
    >>> sorted(run.evaluate("examples/data/clipart").metrics)
    ['accuracy', 'cross_entropy', 'macro_f1']
    """
    from zoo.runs.run import Run

    return Run(local_path(path, _RUNS))


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
    from zoo.compose.head import fitting_head, make_task
    from zoo.compose.model import compose, features_from_raw

    with suggesting_plugins():
        offer = catalog().backbone(backbone)
        chosen = fitting_head(head, offer) if head is not None else None
    if chosen is None:
        return features_from_raw(build_encoder(offer, weights))
    task = make_task(chosen, options or {})
    if chosen.spec.trained:
        task.learn(labels, ("label",))
    return compose(build_encoder(offer, weights), task, chosen.spec).model


def embed(
    backbone: str,
    data: Input | Iterable[Input],
    *,
    out: str | Path | None = None,
    input_column: str = "",
    weights: str = "default",
    device: str = "auto",
    depth: str | int = "auto",
    options: Mapping[str, Any] | None = None,
) -> Vectors:
    """Vectors of pictures or texts from a backbone as it is, for search and clustering: nothing is trained.

    data   as for `Run.predict`: texts or paths of pictures as strings, files, folders and tables (column `image` or
           `text`, or `input_column`) as `Path`, data frames; one, or any collection of them, such as a generator
    out    a Parquet file to write: the columns `input`, `text` (of texts) and `vector`
    depth  of pictures of 16 bits: how many are used; "auto": those of which it is in doubt are left out

    Returns inputs, texts and `values`, float32 (inputs, dim), each of length 1, so that `values @ values.T` are
    cosines. What cannot be read is left out, and stands in `skipped`.

    >>> import zoo
    >>> vectors = zoo.embed("minilm_l6", ["A cat sits on the mat.", "A feline rests on a rug.", "Shares fell."])
    >>> (vectors.values @ vectors.values.T)[0].round(1).tolist()
    [1.0, 0.6, 0.0]
    """
    from zoo import engine
    from zoo.prediction.embed import check_out
    from zoo.prediction.embed import embed as carry_out

    if out is not None:
        check_out(local_path(out, "vectors"))
    with suggesting_plugins():
        engine.use(device)
        vectors = carry_out(backbone, data, input_column, str(weights), options or {}, str(depth))
    if out is not None:
        vectors.write(Path(out))
    return vectors


def _finished(run: Run, report: bool | None) -> Run:
    """A run that has just been finished, after its report is written, and the plugins have been told.

    A report that cannot be written takes nothing from the run.
    """
    if os.environ.get("ZOO_REPORT") != "0" if report is None else report:
        from zoo.reports.report import write_report

        start = time.monotonic()
        try:
            say(f"Report: {write_report(run)} ({time.monotonic() - start:.0f} s)")
        except Exception as error:  # a head, reader or plugin that fails at it must not seem to fail the training
            reason = error if isinstance(error, ZooError) else f"{type(error).__name__}: {error}"
            say(f"There is no report: {reason}. To try again: {run.folder.command('report')}")
    catalog().host.call("zoo_run_finished", run=run)
    return run


def _settings(settings: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """The recipe among the settings, and the others; those that are None are not given."""
    known = {name: _plain(value) for name, value in settings.items() if value is not None}
    if "val" in known:
        known["val"] = data_address(known["val"])
    if isinstance(depth := known.get("depth"), int):
        known["depth"] = str(depth)
    recipe = checked({name: known.pop(name) for name in Recipe.__struct_fields__ if name in known}, Recipe)
    return recipe, known


def _plain(value: Any) -> Any:
    """A setting as a program may give it, as plain data: a place as its text, a number of NumPy as one of Python."""
    if is_place(value):
        return str(value)
    return value.item() if hasattr(value, "item") else dict(value) if isinstance(value, Mapping) else value


def _carry_out(plan: Plan, out: str | Path | None, of: Path | None = None) -> Run:
    from zoo.training.trainer import train as carry_out

    with suggesting_plugins():
        return carry_out(plan, local_path(out, _RUNS) if out is not None else None, of)
