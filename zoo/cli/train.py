"""`zoo train` and `zoo pull`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.output import print_json
from zoo.data.augment import Augment
from zoo.inference import how

if TYPE_CHECKING:
    from zoo.compose.encoder import Unfreeze
    from zoo.runs.run import Run


PRECISIONS, ENGINES = get_args(how.Precision), get_args(how.Engine)
Precision = Annotated[
    str,
    typer.Option(metavar="TYPE", help=f"The numbers to compute with: {', '.join(PRECISIONS)}."),
]
Engine = Annotated[
    str,
    typer.Option(metavar="ENGINE", help=f"What runs the frozen part: {', '.join(ENGINES)}."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.command()(pull)


def _unfreeze(text: str) -> Unfreeze:
    if text == "all":
        return "all"
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a number of stages nor 'all'.") from None


def one_of(choices: tuple[Any, ...], text: str, option: str) -> Any:
    """The text, which is one of the choices; wrong usage otherwise."""
    if text not in choices:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(choices)}.", param_hint=option)
    return text


def parse_options(settings: list[str]) -> dict[str, str]:
    """The values of `--set NAME=VALUE`."""
    for setting in settings:
        if "=" not in setting:
            raise typer.BadParameter(f"{setting!r} is not of the form NAME=VALUE.", param_hint="--set")
    return dict(setting.split("=", 1) for setting in settings)


def complete_backbone(incomplete: str) -> list[str]:
    """The backbones whose names begin so."""
    return [name for name in api.backbone_names() if name.startswith(incomplete)]


def train(
    backbone: Annotated[
        str | None,
        typer.Argument(metavar="BACKBONE", help="By name; `zoo list`.", autocompletion=complete_backbone),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA", help="A folder with a sub-folder for each class, or a table: image or text, and label."
        ),
    ] = None,
    head: Annotated[str, typer.Option(help="The task; `zoo heads`.")] = "classification",
    out: Annotated[
        Path | None, typer.Option(help="The run folder to make (default: runs/ and the name of DATA).")
    ] = None,
    val: Annotated[Path | None, typer.Option(help="Judge by this data instead of a fifth of DATA.")] = None,
    input_: Annotated[
        str, typer.Option("--input", help="In a table: the column of the input (image, or text; text,text_b).")
    ] = "",
    target: Annotated[str, typer.Option(help="In a table: the column with the target (label).")] = "",
    weights: Annotated[
        str, typer.Option(help="default, none (random), a name from `zoo info`, or a file.")
    ] = "default",
    unfreeze: Annotated[
        str, typer.Option(help="Train the last N stages of the backbone too, or all.", metavar="N|all")
    ] = "0",
    epochs: Annotated[int | None, typer.Option(help="At most so many epochs in each phase.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples in one step (default: 32).")] = None,
    lr: Annotated[
        float | None,
        typer.Option(help="Learning rate (default: 0.001; texts with --unfreeze: 0.0002, large models less)."),
    ] = None,
    layer_decay: Annotated[
        float | None,
        typer.Option(help="Texts: each stage learns so many times slower than the one after it, for example 0.9."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides the split, the order and the initial head.")] = 0,
    augment: Annotated[
        str,
        typer.Option(metavar="none|light|strong", help="Pictures: train on changed ones too (mirrored, moved, ...)."),
    ] = "none",
    cache: Annotated[
        str, typer.Option(metavar="auto|on|off", help="Keep what the frozen part gives on disk; `zoo cache` shows it.")
    ] = "auto",
    precision: Precision = "auto",
    engine: Engine = "auto",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An option of the head. Repeatable.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="Repeat a run from its plan.toml, instead of the above.")] = None,
    json: Json = False,
) -> None:
    """Fine-tune a backbone on your own pictures or texts.

    Examples:

        zoo train efficientnet_lite0 photos/

        zoo train resnet50 photos/ --unfreeze 1 --epochs 20 --out runs/second

        zoo train inception_v3 table.csv --input file --target species --set label_smoothing=0.1

        zoo train minilm_l6 reviews.csv --head regression --target rating --unfreeze all

        zoo train minilm_l6 names.conll --head token_classification --unfreeze all

        zoo train --plan runs/photos/plan.toml

    Broken off, it goes on with: zoo resume RUN
    """
    if plan is not None:
        if backbone is not None:
            raise typer.BadParameter("give either BACKBONE and DATA, or --plan.", param_hint="--plan")
        run = api.train_plan(plan, out=out)
    elif backbone is None or data is None:
        raise typer.BadParameter("BACKBONE and DATA are needed; for example: zoo train efficientnet_lite0 photos/")
    else:
        run = api.train(
            backbone,
            data,
            head=head,
            out=out,
            val=val,
            input_column=input_,
            target_column=target,
            weights=weights,
            unfreeze=_unfreeze(unfreeze),
            epochs=epochs,
            batch_size=batch_size,
            lr=lr,
            layer_decay=layer_decay,
            seed=seed,
            augment=one_of(get_args(Augment), augment, "--augment"),
            cache=one_of(("auto", "on", "off"), cache, "--cache"),
            precision=one_of(PRECISIONS, precision, "--precision"),
            engine=one_of(ENGINES, engine, "--engine"),
            options=parse_options(set_ or []),
        )
    print_run(run, json)


def print_run(run: Run, json: bool) -> None:
    """The figures of a run that has just ended."""
    if json:
        return print_json(run.summary)
    examples = run.summary["examples"]
    figures = "  ".join(f"{name} {value:.4f}" for name, value in run.metrics.items())
    print(f"{figures}  (on {examples['validation']} examples it was not trained on)")
    if tested := run.summary.get("test_metrics"):
        figures = "  ".join(f"{name} {value:.4f}" for name, value in tested.items())
        print(f"{figures}  (on {examples['test']} examples for testing)")
    print(f"run {run.path}  ({examples['train']} examples for training, {run.summary['seconds']:.0f} s)")
    if sys.stdout.isatty():
        print(f"Try: zoo predict {run.path} INPUT")


def pull(
    backbones: Annotated[list[str], typer.Argument(help="Backbones by name.", autocompletion=complete_backbone)],
    from_: Annotated[
        Path | None, typer.Option("--from", help="A file, or a folder with it, carried here by hand.")
    ] = None,
) -> None:
    """Fetch weights now, to train later without a network.

    Examples:

        zoo pull resnet50 inception_v3

        zoo pull resnet50 --from /media/usb/

    ZOO_MIRROR names another place to look first, ZOO_CACHE the folder where weights are kept, and ZOO_OFFLINE=1 forbids
    the network.
    """
    for name in backbones:
        print(api.pull(name, from_))
