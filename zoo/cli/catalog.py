"""`zoo list`, `zoo info`, `zoo heads`, `zoo plugins`, `zoo doctor`: what there is. None of them imports TensorFlow."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from zoo import api
from zoo.cli import complete
from zoo.cli.output import count, no_collections, print_beside, print_facts, print_json, print_line, print_table, size
from zoo.progress import counted

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_)
    for command in (info, heads, plugins, doctor):
        app.command()(command)


def list_(
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATTERN",
            help="Part of a name, or a wildcard. Several: any of them may match.",
            autocompletion=complete.backbones,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Leave out names that match. Repeatable.", autocompletion=complete.backbones
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="A condition on a fact, such as 'params<10M'. Repeatable.",
            autocompletion=complete.conditions,
        ),
    ] = None,
    modality: Annotated[
        str | None, typer.Option(metavar="NAME", help="image or text.", autocompletion=complete.modalities)
    ] = None,
    plugin: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this plugin's.", autocompletion=complete.plugins)
    ] = None,
    max_params: Annotated[int | None, typer.Option(metavar="N", help="At most this many parameters.")] = None,
    sort: Annotated[
        str, typer.Option(metavar="FACT", help="The fact to sort by.", autocompletion=complete.facts)
    ] = "name",
    json: Json = False,
) -> None:
    """List the backbones that can be trained.

    Examples:

        zoo list

        zoo list resnet 'efficientnet_b?' --exclude v2

        zoo list --where 'params<10M' --where 'top1>75' --sort params

        zoo list --where offline

    Facts: name, modality, family, params, input, dim, features, licence, paper, plugin, and of the default weights
    top1, trained_on, bytes, weights_licence, state and offline. The state is bundled (in an installed package), cached,
    package (in one that pip can fetch), remote (behind a model hub or on a web server) or none; all but the remote ones
    are offline.
    """
    with no_collections():
        rows = api.list_backbones(
            *(patterns or []),
            exclude=exclude or [],
            where=where or [],
            modality=modality,
            plugin=plugin,
            max_params=max_params,
            sort=sort,
        )
    if json:
        return print_json(rows)
    header = ["name", "params", "input", "top-1", "weights", "size", "licence", "weights' licence", "plugin"]
    print_table(header, [_row(row) for row in rows], right=["params", "input", "top-1", "size"])


def _row(row: dict[str, Any]) -> list[str]:
    weights = row["weights"]
    top1 = f"{row['top1']:.1f}" if row["top1"] is not None else "-"
    return [
        row["name"],
        count(row["params"]),
        str(row["input"] or "-"),
        top1,
        weights["state"],
        size(weights["bytes"]),
        row["licence"],
        weights["licence"],
        row["plugin"],
    ]


def info(
    name: Annotated[
        str,
        typer.Argument(metavar="BACKBONE", help="A name, as `zoo list` shows it.", autocompletion=complete.backbones),
    ],
    json: Json = False,
) -> None:
    """Show everything known about one backbone.

    Example:

        zoo info inception_v3
    """
    facts = api.backbone_info(name)
    if json:
        return print_json(facts)
    weights = facts.pop("all_weights")
    shown = {fact: str(value) for fact, value in facts.items() if fact != "weights"}
    shown |= {
        "offline": "yes" if facts["offline"] else "no",
        "params": f"{facts['params']:,}",
        "features": ", ".join(facts["features"]),
    }
    if facts["modality"] != "image":
        del shown["top1"]  # it is the accuracy on ImageNet
    else:
        shown["top1"] = f"{facts['top1']} %" if facts["top1"] is not None else "not published"
    print_facts(shown)
    for number, entry in enumerate(weights):
        print_line(f"\nweights {entry.pop('name')}{' (default)' if number == 0 else ''}")
        known = {fact: value for fact, value in entry.items() if value is not None}
        print_facts({f"  {fact}": size(value) if fact == "bytes" else str(value) for fact, value in known.items()})
    print_line(f"\nTry: zoo train {facts['name']} DATA")


def heads(json: Json = False) -> None:
    """List the task heads, their options, and what they combine with.

    Example:

        zoo heads
    """
    rows = api.list_heads()
    if json:
        return print_json(rows)
    for row in rows:
        print_beside(f"{row['name']}: ", row["summary"], indent=2)
        kinds = ", ".join(row["modalities"])
        print_beside(
            "  ", f"combines with {counted(len(row['backbones']), 'backbones')} ({kinds}); from {row['plugin']}"
        )
        for option in row["options"]:
            choices = f" ({', '.join(option['choices'])})" if option["choices"] else ""
            setting = f"  --set {option['name']}={option['default']}  "
            print_beside(setting, f"{option['summary']}{choices}", indent=6)


def plugins(
    disable: Annotated[
        str | None, typer.Option(metavar="NAME", help="Switch a plugin off for good.", autocompletion=complete.plugins)
    ] = None,
    enable: Annotated[
        str | None, typer.Option(metavar="NAME", help="Switch a plugin on again.", autocompletion=complete.plugins)
    ] = None,
    json: Json = False,
) -> None:
    """List the installed plugins, and why one is not loaded.

    Another process looks at them, so that none can stop zoo. A plugin that is used runs with your rights.

    Examples:

        zoo plugins

        zoo plugins --disable keras_applications

        ZOO_DISABLE=heads,efficientnet_lite zoo list
    """
    for name, off in ((disable, True), (enable, False)):
        if name:
            api.switch_plugin(name, off=off)
    rows = api.list_plugins()
    if json:
        return print_json(rows)
    print_table(
        ["plugin", "status", "backbones", "heads", "distribution"],
        [
            [
                row["name"],
                row["status"],
                str(len(row["backbones"])),
                str(len(row["heads"])),
                f"{row['distribution']} {row['version']}",
            ]
            for row in rows
        ],
        right=["backbones", "heads"],
    )
    for row in rows:
        for said in (row["reason"], *row["notes"]):
            if said:
                print_line()
                print_beside(f"{row['name']}: ", said, indent=2)


def doctor(json: Json = False) -> None:
    """Find out what keeps zoo from working, and how to fix it. Exit status 1 if there is a problem.

    Shows versions, accelerators, caches, plugins, and whether the sources of weights answer. Repairs what an
    interrupted `zoo install` left.

    Example:

        zoo doctor
    """
    report = api.doctor()
    if json:
        print_json(report)
    else:
        print_facts({name: str(value) for name, value in report["facts"].items()})
        for kind in ("note", "problem"):
            for said in report[f"{kind}s"]:
                print_line()
                print_beside(f"{kind}: ", said, indent=2)
        if not report["problems"]:
            print_line("\nNo problems found.")
    if report["problems"]:
        raise typer.Exit(1)
