"""Pictures that are passed in from Python: arrays of pixels and picture objects of Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.data.picture_depth import Depth, Wide
from zoo.data.picture_files import MAX_PIXELS
from zoo.data.picture_values import values_of
from zoo.errors import BadData

if TYPE_CHECKING:
    import numpy as np

_WANTED = "give a file, its bytes, a picture of Pillow, or pixels as uint8 (height, width, 3)"


def from_value(value: Any) -> np.ndarray | Wide:
    """The pixels of an array or a picture object: uint8 RGB (height, width, 3), or values of more than 8 bits.

    Arrays are (height, width), grey, or have 1, 3 or 4 channels, the fourth being opacity. Only uint16 is certain to
    have more than 8 bits; integers up to 255 of other types count as 8 bits.

    Raises `BadData` with what was given, if it is not a picture, or in doubt.
    """
    import numpy as np
    from PIL import Image

    if isinstance(value, Image.Image):
        return values_of(value)
    if not isinstance(value, np.ndarray):
        if not hasattr(value, "__array__") or isinstance(value, np.generic):
            raise BadData(f"not a picture but {type(value).__name__}: {_WANTED}")
        try:
            value = np.asarray(value)  # a tensor, for example
        except Exception as error:  # whatever the author of the type raises
            raise BadData(f"not a picture but {type(value).__name__} ({error}): {_WANTED}") from None
    shape, kind = value.shape, value.dtype
    if kind.kind not in "uif" or not value.size or len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,), (4,)):
        raise BadData(f"not a picture but an array of {kind}, {shape}: {_WANTED}")
    if shape[0] * shape[1] > MAX_PIXELS:
        raise BadData(f"too large: {shape[1]} x {shape[0]} pixels")
    if kind == np.uint8:
        return value if shape[2:] == (3,) else _eight(value)
    if kind.kind == "f":
        return _wide(value.astype("float32"))
    low, high = value.min().item(), value.max().item()
    if low < 0 or high >= 2**16:
        raise BadData(f"an array of {kind} with values from {low} to {high}, where a picture has 0 to 255: {_WANTED}")
    if high < 256 and kind != np.uint16:
        return _eight(value.astype("uint8"))
    return _wide(value.astype("uint16"))


def _eight(value: np.ndarray) -> np.ndarray:
    wide = _wide(value)
    return Depth().pixels(Wide(wide.values, wide.alpha, declared=8))


def _wide(value: np.ndarray) -> Wide:
    if value.ndim == 2:
        return Wide(value)
    if value.shape[2] == 4:
        return Wide(value[..., :3], value[..., 3])
    return Wide(value if value.shape[2] == 3 else value[..., 0])
