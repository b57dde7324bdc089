"""Opens picture files, recognised by their content, and says of other files what they are."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO

from zoo.errors import BadData

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 178_956_970  # 2**29 / 3: half a gigabyte of RGB; Pillow's own limit for refusing a decompression bomb
_COMMON = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")  # Pillow knows these from the start
_OTHERS = {  # all are decoded by Pillow itself; formats for which it starts another program, like EPS, are left out
    "AVIF": "Avif",
    "JPEG2000": "Jpeg2K",
    "ICO": "Ico",
    "ICNS": "Icns",
    "DDS": "Dds",
    "PSD": "Psd",
    "SGI": "Sgi",
    "QOI": "Qoi",
    "SUN": "Sun",
    "FLI": "Fli",
    "XPM": "Xpm",
    "XBM": "Xbm",
    "MSP": "Msp",
    "PCX": "Pcx",
}
_WEAK = ("PCX", "ICO", "MSP")  # a Targa file, which starts with no signature, can begin like one of these
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_SIGNATURES = {
    b"%PDF": "a PDF document",
    b"%!PS": "PostScript",
    b"SIMPLE  =": "FITS",
    b"\x89HDF": "HDF5",
    b"v/1\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive",
}
_RAW = (".dng", ".nef", ".cr2", ".arw", ".pef", ".srw", ".nrw", ".3fr", ".iiq")
_DNG_VERSION, _KIND_OF_PAGE, _MORE_PAGES = 50706, 254, 330  # tags of a TIFF
_BITS, _PLANAR = 258, 284
_ON_ITS_SIDE = (2, 4, 5, 6)  # the transpositions that exchange height and width
_UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation -> `Image.Transpose`


@contextmanager
def opened(file: BinaryIO) -> Iterator[Image.Image]:
    """The picture in a file, with its size known and not yet decoded; what is raised in the block becomes `BadData`.

    An error of the disk stays an `OSError`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with _open(file) as image:
            refuse_large(image)
            yield image
    except BadData:
        raise
    except UnidentifiedImageError:
        raise BadData(_what_it_is(file)) from None
    except Image.DecompressionBombError:
        raise BadData("too large: refused as a decompression bomb") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise BadData(f"damaged picture: {error}") from None
    except Exception as error:  # a decoder that meets what its author did not think of may raise anything
        reason = error if isinstance(error, (SyntaxError, ValueError)) and str(error) else type(error).__name__
        raise BadData(f"damaged picture: {reason}") from None


def refuse_large(image: Image.Image) -> None:
    """Raise `BadData` for a picture that would take too much memory."""
    if image.width * image.height > MAX_PIXELS:
        raise BadData(f"too large: {image.width} x {image.height} pixels")


def size_of(file: BinaryIO) -> tuple[int, int]:
    """Height and width of the picture in a file, upright; it is not decoded. Raises `BadData` and `OSError`."""
    with opened(file) as image:
        width, height = image.size
        return (width, height) if turn(image) in _ON_ITS_SIDE else (height, width)


def turn(image: Image.Image) -> int | None:
    """The `Image.Transpose` that makes a loaded picture upright, by its EXIF tag, if it has one that can be read."""
    try:
        orientation = image.getexif().get(0x0112)
    except Exception:  # EXIF is parsed by Pillow, which raises many kinds of error for damaged tags
        return None
    return _UPRIGHT.get(orientation) if isinstance(orientation, int) else None


def _open(file: BinaryIO) -> Image.Image:
    from PIL import Image, features

    head, suffix = _head(file), PurePath(str(getattr(file, "name", ""))).suffix.lower()
    brands = _brands(head)
    if b"avif" in brands or b"avis" in brands:
        if not features.check("avif"):
            raise BadData("AVIF, which the installed Pillow cannot read: pip install --upgrade pillow")
    elif brands & _HEIF:
        return _heif(file)
    formats = _formats()
    if suffix in (".tga", ".vda", ".icb", ".vst") or _has_targa_footer(file):
        formats = tuple(name for name in formats if name not in _WEAK) + _plugin("TGA", "Tga")
    image = Image.open(file, formats=formats)
    if image.format == "TIFF":
        _refuse_misread(image, head, suffix)
    return image


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(256)
    file.seek(0)
    return head


@functools.cache
def _formats() -> tuple[str, ...]:
    """The formats that the installed Pillow decodes, of those that are safe."""
    return sum((_plugin(name, module) for name, module in _OTHERS.items()), _COMMON)


@functools.cache
def _plugin(name: str, module: str) -> tuple[str, ...]:
    from PIL import Image

    try:
        importlib.import_module(f"PIL.{module}ImagePlugin")  # only this one: Pillow would otherwise import them all
    except ImportError:
        return ()
    return (name,) if name in Image.OPEN else ()


def _has_targa_footer(file: BinaryIO) -> bool:
    if file.seek(0, 2) < 44:
        return False
    file.seek(-18, 2)
    return file.read(16) == b"TRUEVISION-XFILE"


def _brands(head: bytes) -> set[bytes]:
    """The brands of a file in the ISO base media format, of which AVIF and HEIC are kinds."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[8 : max(12, min(int.from_bytes(head[:4], "big"), len(head)))]
    return {box[at : at + 4] for at in range(0, len(box), 4) if at != 4}  # the second is a version


def _heif(file: BinaryIO) -> Image.Image:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise BadData("HEIC, which needs the package pillow-heif: pip install 'tfzoo[heif]'") from None
    image: Image.Image = HeifImageFile(file)  # not registered with Pillow, so that other programs see no difference
    return image


def _refuse_misread(image: Any, head: bytes, suffix: str) -> None:
    """Raise `BadData` for a TIFF of which Pillow reads something else than the picture, without an error."""
    tags = image.tag_v2
    preview = tags.get(_KIND_OF_PAGE, 0) == 1 and _MORE_PAGES in tags
    if preview or head[8:10] == b"CR" or suffix in _RAW or _DNG_VERSION in tags:
        raise BadData("a raw file of a camera, of which only a preview can be read. Export it as JPEG or TIFF")
    bits = tags.get(_BITS, (1,))
    if tags.get(_PLANAR, 1) == 2 and len(bits) > 1 and max(bits) > 8:
        raise BadData("a TIFF of 16 bits that stores each colour apart, which cannot be read. Save it as PNG")


def _what_it_is(file: BinaryIO) -> str:
    """Why a file is no picture."""
    head = _head(file)
    if not head:
        return "empty file"
    if b"<svg" in head or (head.lstrip().startswith(b"<?xml") and b"svg" in head):
        return "not a picture of pixels but a drawing (SVG). Save it as PNG"
    if head[128:132] == b"DICM":
        return "not a picture that can be read but DICOM. Save it as PNG"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "a TIFF that is damaged, or whose kind of pixels Pillow cannot read. Save it as PNG"
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            return f"not a picture that can be read but {name}. Save it as PNG"
    return "not a picture"
