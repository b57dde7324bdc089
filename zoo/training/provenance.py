"""The provenance of a run: versions, plugins, weights, data, machine, and how long each part took."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog import Weights, catalog
from zoo.weights import content_sha256, locate

if TYPE_CHECKING:
    from zoo.training.job import Job

_PACKAGES = ("tfzoo", "tensorflow", "keras", "numpy", "pillow")


class Seconds:
    """How long each part of a training took: `spent` in seconds, by name."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._since: dict[str, float] = {}

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """A context that adds the time spent in it to `part`."""
        self._since[part] = time.monotonic()
        try:
            yield
        finally:
            self.add({part: time.monotonic() - self._since.pop(part)})

    def add(self, spent: Mapping[str, float]) -> None:
        """Add what was spent elsewhere, such as in the process that is being continued."""
        for part, seconds in spent.items():
            self.spent[part] = round(self.spent.get(part, 0.0) + seconds, 3)

    def so_far(self) -> dict[str, float]:
        """What is spent, the parts that are not finished included."""
        now = time.monotonic()
        running = {part: round(self.spent.get(part, 0.0) + now - start, 3) for part, start in self._since.items()}
        return self.spent | running


def provenance(job: Job) -> dict[str, Any]:
    """The content of provenance.json at the start of a training."""
    named, data = job.named, job.dataset
    plugins = {p.name: f"{p.distribution} {p.version}" for p in catalog().plugins if p.status == "loaded"}
    return {
        "started": _now(),
        "folder": os.getcwd(),
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES},
        "plugins": {name: plugins[name] for name in sorted({named.backbone.plugin, named.head.plugin})},
        "weights": _weights(named.weights, named.weights_file),
        "data": {"examples": len(data.examples), "fingerprint": data.fingerprint},
        "machine": _machine(),
    }


def ended(seconds: Seconds, precision: str, engine: str) -> dict[str, Any]:
    """What is added at the end of a training: how the frozen part was computed, and the seconds for each part."""
    return {
        "finished": _now(),
        "computing": {"precision": precision, "engine": engine},
        "seconds": seconds.spent,
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


def _machine() -> dict[str, Any]:
    import tensorflow as tf

    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.get_visible_devices("GPU")]
    devices = [str(about.get("device_name", "GPU")) for about in gpus] or ["cpu"]
    about = {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}
    return about | {"devices": devices}
