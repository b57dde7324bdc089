"""Promises of a modality, tested on the samples that its reader makes."""

from __future__ import annotations

from typing import Any

from zoo.data.reader import Reader, reader
from zoo.errors import BadData
from zoo.progress import counted
from zoo.testing.promises import BrokenPromise

_SAMPLES = 3


def values_are_as_it_says(name: str) -> str:
    """Its samples all have one shape, which fits the stated one; reading a value returns the same value."""
    import numpy as np

    known = reader(name)
    arrays = [np.asarray(value) for value in _samples(known)]
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or not _fits(shapes.pop(), known.shape):
        raise BrokenPromise(f"its samples have the shapes {sorted(array.shape for array in arrays)}, not {known.shape}")
    text = all(array.dtype.kind == "U" for array in arrays)
    if not (text if known.dtype == "string" else all(array.dtype == known.dtype for array in arrays)):
        raise BrokenPromise(f"its samples are {arrays[0].dtype}, not {known.dtype}")
    for value in _samples(known):
        if known.fingerprint(known.read(value)) != known.fingerprint(value):
            raise BrokenPromise("reading one of its own values returns a different one")
    if "single" not in known.forms:
        raise BrokenPromise("it has no examples of the form 'single'")
    return f"{known.dtype} {known.shape}; {', '.join(known.forms)}"


def others_are_refused(name: str) -> str:
    """Bytes and objects that are not values of this modality raise `zoo.BadData` with a reason, and nothing else."""
    known = reader(name)
    for other in (b"", b"\x00\xff of no format \x80", object()):
        try:
            known.read(other)
        except BadData as reason:
            if not str(reason):
                raise BrokenPromise(f"{other!r:.40} is refused without a reason") from None
        else:
            raise BrokenPromise(f"{other!r:.40} is accepted as a value")
    return "no bytes, bytes of no format, and another object"


def fingerprints_tell_apart(name: str) -> str:
    """Each value has a fingerprint, which is the same every time, and no two values share one."""
    known = reader(name)
    first, again = ([known.fingerprint(value) for value in _samples(known)] for _ in range(2))
    if first != again:
        raise BrokenPromise("the same value has a different fingerprint the second time")
    if len(set(first)) != len(first):
        raise BrokenPromise("two values have the same fingerprint")
    if any(len(bytes.fromhex(one)) != 16 for one in first):
        raise BrokenPromise(f"a fingerprint is {first[0]!r}, not 32 hexadecimal digits")
    return counted(len(first), "samples")


def shows_values(name: str) -> str:
    """Each sample becomes a few kilobytes with a media type."""
    known = reader(name)
    shown = [known.show(value) for value in _samples(known)]
    if bad := next((one for one in shown if "/" not in one.mime or not one.content), None):
        raise BrokenPromise(f"it shows {len(bad.content)} bytes of {bad.mime!r}")
    return f"{shown[0].mime}, {max(len(one.content) for one in shown)} bytes at most"


def _samples(known: Reader) -> list[Any]:
    return known.samples(_SAMPLES)


def _fits(shape: tuple[int, ...], stated: tuple[int | None, ...]) -> bool:
    return len(shape) == len(stated) and all(b in (None, a) for a, b in zip(shape, stated, strict=True))
