"""Where a run came from: versions, plugins, weights, data, machine, and how long each step took."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from zoo.catalog import Backbone, Head, Offer, Weights, catalog
from zoo.data.examples import Examples
from zoo.weights import content_sha256, locate

_PACKAGES = ("tfzoo", "tensorflow", "keras", "numpy", "pillow")


class Seconds:
    """How long each step took, in seconds by name."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Time the block, and add it to `step`."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.steps[step] = round(self.steps.get(step, 0.0) + time.monotonic() - start, 3)


def provenance(
    backbone: Offer[Backbone],
    head: Offer[Head],
    weights: Weights | None,
    file: Path | None,
    examples: Examples,
) -> dict[str, Any]:
    """The content of provenance.json as a training starts."""
    plugins = {p.name: f"{p.distribution} {p.version}" for p in catalog().plugins if p.status == "loaded"}
    return {
        "started": _now(),
        "folder": os.getcwd(),
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES},
        "plugins": {name: plugins[name] for name in sorted({backbone.plugin, head.plugin})},
        "weights": _weights(weights, file),
        "data": {"examples": len(examples.items), "fingerprint": _fingerprint(examples)},
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
    }


def ended(seconds: Seconds, precision: str, engine: str) -> dict[str, Any]:
    """What is added when a training is over: how the frozen part was computed in the end, and seconds by step."""
    return {
        "finished": _now(),
        "computing": {"precision": precision, "engine": engine},
        "seconds": seconds.steps,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _weights(weights: Weights | None, file: Path | None) -> dict[str, Any]:
    if file is None:
        return {"name": "none"}
    published = weights is not None and file == locate(weights)
    name = weights.name if weights is not None and published else "local file"
    licence = weights.licence if weights is not None and published else "unknown"
    return {"name": name, "file": file.name, "sha256": content_sha256(file), "licence": licence}


def _fingerprint(examples: Examples) -> str:
    """Of contents, targets and sides, in no particular order."""
    lines = sorted(f"{e.content}\t{e.target}\t{e.split}" for e in examples.items)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
