"""Every format that Pillow decodes safely is read; what is not read is named, and nothing ends in a traceback."""

import contextlib
import io
import random
import struct
import sys
import types

import numpy as np
import pytest
from PIL import Image, features

import zoo
from zoo.data import picture_files
from zoo.data.pictures import Pictures, decode_picture

READER = Pictures()
WAVES = READER.samples(1)[0]
FORMATS = {
    "x.avif": {"quality": 100, "subsampling": "4:4:4"},
    "x.jp2": {},
    "x.tga": {},
    "x.ico": {"sizes": [(64, 64)]},
    "x.dds": {},
    "x.pcx": {},
    "x.sgi": {},
    "x.qoi": {},
    "x.mpo": {"quality": 95},
    "x.ppm": {},
    "x.im.tif": {"compression": "tiff_lzw"},
}
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


def written(name, image, **options):
    file = io.BytesIO()
    kinds = {"jp2": "JPEG2000", "tif": "TIFF"}
    kind = name.rpartition(".")[2]
    try:
        image.save(file, kinds.get(kind, kind.upper()), **options)
    except (KeyError, OSError):
        pytest.skip(f"this Pillow cannot write {kind}")
    return file.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_picture_in_every_format(tmp_path, name):
    image = Image.fromarray(WAVES[:64, :64])
    (tmp_path / name).write_bytes(written(name, image, **FORMATS[name]))
    pixels = READER.read(tmp_path / name)
    assert pixels.shape == (64, 64, 3)
    assert np.abs(pixels.astype(int) - WAVES[:64, :64]).mean() < 3


def test_targa_is_known_by_its_name_or_its_footer(tmp_path):
    content = written("x.tga", Image.fromarray(WAVES))
    assert np.array_equal(READER.read(content), WAVES)
    (tmp_path / "old.TGA").write_bytes(content[:-26])
    assert np.array_equal(READER.read(tmp_path / "old.TGA"), WAVES)
    (tmp_path / "in-truth.tga").write_bytes(written("x.png", Image.fromarray(WAVES)))
    assert np.array_equal(READER.read(tmp_path / "in-truth.tga"), WAVES)


def test_an_icon_gives_its_largest_picture():
    small = Image.new("RGBA", (16, 16), "red")
    large = Image.new("RGBA", (32, 32), "blue")
    content = written("x.ico", large, sizes=[(16, 16), (32, 32)], append_images=[small])
    assert READER.read(content)[5, 5].tolist() == [0, 0, 255]
    assert READER.read(written("x.icns", small.resize((64, 64)))).shape == (1024, 1024, 3)


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    content = written("x.avif", frames[0], save_all=True, append_images=frames[1:])
    assert READER.read(content)[9, 9].tolist()[0] > 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7" + bytes(99), "not a picture that can be read but a PDF document. Save it as PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (bytes(128) + b"DICM" + bytes(99), "DICOM"),
        (b"\xff\x0a" + bytes(99), "JPEG XL"),
        (b"II*\0\x08\0\0\0" + bytes(99), "a TIFF that is damaged, or whose kind of pixels Pillow cannot read"),
    ],
)
def test_what_is_not_read_is_named(content, said):
    with pytest.raises(zoo.BadData, match=said):
        READER.read(content)


def test_a_raw_file_of_a_camera_is_not_taken_for_its_preview(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (16, 12)).save(file, "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    for name, content in (("a.tif", file.getvalue()), ("a.NEF", written("x.tif", Image.new("RGB", (16, 12))))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(zoo.BadData, match="a raw file of a camera, of which only a preview can be read"):
            READER.read(tmp_path / name)


def test_colours_of_sixteen_bits_that_pillow_misreads_are_refused():
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "TIFF", tiffinfo={284: 2})
    content = file.getvalue()
    bits = struct.pack("<HHH", 8, 8, 8)
    assert content.count(bits) == 1
    with pytest.raises(zoo.BadData, match="16 bits that stores each colour apart"):
        READER.read(content.replace(bits, struct.pack("<HHH", 16, 16, 16)))


def test_heic_names_the_package_that_reads_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(zoo.BadData) as refused:
        READER.read(HEIC)
    assert str(refused.value) == "HEIC, which needs the package pillow-heif: pip install 'tfzoo[heif]'"


def test_heic_is_read_where_the_package_is_installed():
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(Image.fromarray(WAVES)).save(file, quality=90)
    pixels = READER.read(file.getvalue())
    assert pixels.shape == WAVES.shape
    assert np.abs(pixels.astype(int) - WAVES).mean() < 6
    assert "HEIF" not in Image.OPEN
    with pytest.raises(zoo.BadData, match="damaged picture"):
        READER.read(HEIC)


def test_a_heic_that_its_package_cannot_decode_is_damaged(monkeypatch):
    def broken(file):
        raise RuntimeError("bitstream")

    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(HeifImageFile=broken))
    with pytest.raises(zoo.BadData, match="damaged picture"):
        READER.read(HEIC)


def test_a_pillow_without_avif_says_so(monkeypatch):
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(zoo.BadData, match="AVIF, which the installed Pillow cannot read: pip install --upgrade pillow"):
        READER.read(b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + bytes(40))


def test_the_size_that_is_known_only_after_decoding_is_limited_too(monkeypatch):
    content = written("x.ico", Image.fromarray(WAVES[:64, :64]), sizes=[(64, 64)])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(picture_files, "MAX_PIXELS", 64 * 64 - 1)
    lying = content[:6] + bytes([16, 16]) + content[8:]
    for one in (content, lying):
        with pytest.raises(zoo.BadData, match="too large: 64 x 64 pixels"):
            READER.read(one)


@pytest.mark.parametrize("damage", [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01", b"II*\0\xff\xff\xff\xff", b"??"])
def test_damaged_exif_is_passed_over(damage):
    file = io.BytesIO()
    Image.fromarray(WAVES).save(file, "JPEG", exif=b"Exif\0\0" + damage, quality=95)
    assert READER.read(file.getvalue()).shape == WAVES.shape


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it reads all the same
@pytest.mark.parametrize("name", [*FORMATS, "x.png", "x.jpg", "x.gif", "x.bmp", "x.webp"])
def test_a_file_with_altered_bytes_gives_pixels_or_a_reason(name):
    chance, image = random.Random(name), Image.fromarray(WAVES[:64, :64])
    whole = written(name.replace("jpg", "jpeg"), image.convert("P") if name == "x.gif" else image)
    for _ in range(60):
        altered = bytearray(whole)
        for _ in range(chance.choice([1, 2, 8])):
            altered[chance.randrange(min(len(altered), chance.choice([40, 200, 10**9])))] = chance.randrange(256)
        for read in (READER.read, lambda content: decode_picture(io.BytesIO(content))):
            with contextlib.suppress(zoo.BadData):
                pixels = read(bytes(altered[: chance.choice([None, len(whole) // 2])]))
                assert (pixels.dtype, pixels.shape[2:]) == (np.uint8, (3,))
