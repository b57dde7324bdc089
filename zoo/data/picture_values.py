"""The pixels in a picture file or object, with all the bits that it has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from zoo.data.picture_depth import Wide
from zoo.data.picture_files import opened, refuse_large, turn
from zoo.errors import BadData

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_PHOTOMETRIC = 262  # tag of a TIFF; 0: white is zero


def read_picture(file: BinaryIO, enough: int, upper: bool = False) -> np.ndarray | Wide:
    """A picture, upright: uint8 RGB (height, width, 3) with transparency laid over white; or more than 8 bits, `Wide`.

    A JPEG is decoded at a half, a quarter or an eighth of its size if both sides then still have `enough` pixels.

    upper  read the upper 8 of 16 bits, and never give `Wide`

    Raises `BadData` with the reason if the file is not a picture, is damaged, or would be too large in memory.
    """
    with opened(file) as image:
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (enough, enough))
        tiles = list(getattr(image, "tile", ()))
        image.load()
        refuse_large(image)  # some formats only know their size now
        if upper or not _is_wide(image, tiles, file):
            return eight_bits(_turned(image))
        return _wide(image, tiles, file)


def values_of(image: Image.Image) -> np.ndarray | Wide:
    """The pixels of a picture object of Pillow, as `read_picture` gives those of a file."""
    import numpy as np

    try:
        refuse_large(image)
        tiles = list(getattr(image, "tile", ()))
        image.load()
        if any(";16" in _raw_mode(tile) for tile in tiles) and image.mode in ("RGB", "RGBA", "LA"):
            return _upper_of(image)
        wide = image.mode[:1] in ("I", "F")
        return Wide(turned(_in_one_type(np.asarray(image)), turn(image))) if wide else eight_bits(_turned(image))
    except BadData:
        raise
    except Exception as error:  # as in `opened`
        raise BadData(f"damaged picture: {error or type(error).__name__}") from None


def eight_bits(image: Image.Image) -> np.ndarray:
    """uint8 RGB (height, width, 3): transparency laid over white; of 16 bits the upper 8."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits, or 16 bits in 32
        image = Image.fromarray((np.asarray(image).astype("int64") >> 8).clip(0, 255).astype("uint8"))
    if image.mode == "F":
        raise BadData("floating-point pixels, which have no defined range")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, "white")
        background.alpha_composite(image)
        image = background
    return np.asarray(image.convert("RGB"), "uint8")


def turned(values: np.ndarray, way: int | None) -> np.ndarray:
    """Pixels as `Image.transpose` turns them."""
    import numpy as np
    from PIL.Image import Transpose

    if way is None:
        return values
    quarters = {Transpose.ROTATE_90: 1, Transpose.ROTATE_180: 2, Transpose.ROTATE_270: 3, Transpose.TRANSVERSE: 2}
    values = np.rot90(values, quarters.get(Transpose(way), 0))
    if way in (Transpose.TRANSPOSE, Transpose.TRANSVERSE):
        return values.swapaxes(0, 1)
    flips = {Transpose.FLIP_LEFT_RIGHT: 1, Transpose.FLIP_TOP_BOTTOM: 0}
    return np.flip(values, flips[Transpose(way)]) if way in flips else values


def _turned(image: Image.Image) -> Image.Image:
    from PIL import Image

    way = turn(image)
    return image if way is None else image.transpose(Image.Transpose(way))


def _raw_mode(tile: Any) -> str:
    args = tile[3]
    return str(args[0] if isinstance(args, tuple) and args else args)


def _is_wide(image: Image.Image, tiles: list[Any], file: BinaryIO) -> bool:
    """Whether the depth of the data set decides what white is; not if the file says what it is."""
    if image.format == "JPEG2000":
        return _jpeg2000_bits(file) >= 16
    if image.format == "PPM" and image.mode != "F":
        return bool(tiles) and _largest_of_ppm(tiles[0]) == 65535
    if image.mode[:1] in ("I", "F"):
        return True
    if image.format == "SGI":
        file.seek(3)
        return file.read(1) == b"\2"
    return image.mode != "CMYK" and any(";16" in _raw_mode(tile) for tile in tiles)


def _wide(image: Image.Image, tiles: list[Any], file: BinaryIO) -> Wide:
    import numpy as np

    way = turn(image)
    if image.mode[:1] in ("I", "F"):
        tags = getattr(image, "tag_v2", {})
        values = _in_one_type(np.asarray(image))
        declared = 12 if tiles and _raw_mode(tiles[0]) == "I;12" else None
        inverted = tags.get(_PHOTOMETRIC) == 0
        return Wide(turned(values, way), _turned_or_none(_keyed(image, values), way), declared, inverted)
    if image.format == "PPM" and tiles[0][0] == "ppm":
        file.seek(tiles[0][2])
        count = image.width * image.height * 3
        content = file.read(2 * count)
        return Wide(np.frombuffer(content, ">u2", count).reshape(image.height, image.width, 3).astype("uint16"))
    other = [_with_other_bytes(tile) for tile in tiles]
    if image.mode not in ("RGB", "RGBA") or None in other:
        return _upper_of(image)
    high = np.asarray(image).astype("uint16")
    with opened(file) as again:
        again.tile = other  # type: ignore[attr-defined]
        again.load()
        both = (high << 8) | np.asarray(again)
    alpha = both[..., 3] if image.mode == "RGBA" else _keyed(image, both)
    return Wide(turned(both[..., :3], way), _turned_or_none(alpha, way))


def _in_one_type(values: np.ndarray) -> np.ndarray:
    """The same values in a type that does not tell how the file stored them."""
    if values.dtype.kind == "f":
        return values.astype("float32")
    return values.astype("uint16" if values.min() >= 0 and values.max() < 2**16 else "int64")


def _with_other_bytes(tile: Any) -> Any:
    """A tile of 16-bit pixels that is decoded to the lower instead of the upper bytes: Pillow keeps one of the two.

    The other order of bytes makes it keep the other byte. None where Pillow does not have the other order.
    """
    decoder, box, offset, args = tile
    name, _, order = _raw_mode(tile).partition(";16")
    if name not in ("RGB", "RGBA", "RGBX") or order not in _OTHER_BYTE:
        return None
    other = f"{name};16{_OTHER_BYTE[order]}"
    return type(tile)(*(decoder, box, offset, (other, *args[1:]) if isinstance(args, tuple) else other))


def _upper_of(image: Image.Image) -> Wide:
    import numpy as np

    rgba = np.asarray(_turned(image.convert("RGBA") if image.mode != "RGB" else image))
    values = (rgba[..., :3].astype("uint16") << 8) | 255
    return Wide(values, rgba[..., 3] if rgba.shape[2] == 4 else None, upper=True)


def _keyed(image: Image.Image, values: np.ndarray) -> np.ndarray | None:
    """The opacity of a PNG in which one value stands for what is transparent; None if there is none."""
    import numpy as np

    key = image.info.get("transparency")
    if not isinstance(key, (int, tuple)):
        return None
    same = values == np.array(key)
    return np.where(same if values.ndim == 2 else same.all(-1), 0, 255).astype("uint8")


def _turned_or_none(values: np.ndarray | None, way: int | None) -> np.ndarray | None:
    return None if values is None else turned(values, way)


def _largest_of_ppm(tile: Any) -> int:
    """The value of white that a PPM file names."""
    args = tile[3]
    return int(args[1]) if isinstance(args, tuple) else 65535 if ";16" in str(args) else 255


def _jpeg2000_bits(file: BinaryIO) -> int:
    """The bits of each value, which Pillow scales to 8 or to 16 bits."""
    file.seek(0)
    head = file.read(1 << 20)
    at = head.find(b"\xff\x4f\xff\x51")  # start of the codestream, and of its header
    return (head[at + 42] & 0x7F) + 1 if 0 <= at < len(head) - 42 else 8
