"""Pictures of more than 8 bits are scaled by the depth that their data set uses, in silence never."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data.check import check
from zoo.data.examples import Example, Examples
from zoo.data.layout import Layout
from zoo.data.picture_depth import Depth
from zoo.data.pictures import Pictures
from zoo.data.settle import settle

TWELVE = Pictures(Depth(12))


def png(values):
    """A PNG of 16 bits: grey, grey and opacity, RGB, or RGB and opacity."""
    values = np.atleast_3d(values)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def saved(values, kind="TIFF", **options):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind, **options)
    return file.getvalue()


def grey(high, salt=0):
    """A ramp from 0 to `high`; no two of the same salt alike."""
    values = np.linspace(0, high, 48 * 48).astype("uint16").reshape(48, 48)
    values[salt // 8, salt % 8] = high
    return values


def settled(contents, depth="auto", layout=None):
    """The layout and examples of a data set with these files, and all that was said."""
    layout = layout or Layout()
    examples = Examples("data", [Example(f"{number}", raw, "a") for number, raw in enumerate(contents)])
    examples = check(examples, layout.reader)
    return settle([examples], layout, depth), examples


def test_the_largest_value_of_all_pictures_decides_and_that_is_said(capsys):
    layout, examples = settled([png(grey(700)), png(grey(3089))])
    assert layout.reading == {"integers": 12}
    said = "Pictures of 16 bits: the largest value is 3089, so they are read as 12 bits; --depth settles it."
    assert said in capsys.readouterr().err
    assert layout.reader.read(examples.items[0].raw).max() == 700 >> 4
    assert layout.reader.depth == "12"


@pytest.mark.parametrize(("high", "bits"), [(255, 8), (256, 10), (4095, 12), (4096, 14), (16384, 16), (65535, 16)])
def test_the_depth_is_the_smallest_that_holds_all_values(high, bits):
    assert settled([png(grey(high))])[0].reading == {"integers": bits}


def test_what_the_user_says_goes_first(capsys):
    assert settled([png(grey(3089))], "16")[0].reading == {"integers": 16}
    assert capsys.readouterr().err == ""


def test_pictures_that_do_not_fit_what_the_user_says_are_left_out_with_the_reason():
    _, examples = settled([png(grey(1000)), png(grey(60000))], "10")
    assert [e.input for e in examples.items] == ["0"]
    assert examples.skipped[0].reason == "values up to 60000, where pictures are read as 10 bits"
    with pytest.raises(
        zoo.BadData, match=r"None of the inputs .*values up to 60000, where pictures are read as 10 bits"
    ):
        settled([png(grey(60000))], "10")


def test_a_few_faulty_pixels_do_not_make_a_picture_unreadable(capsys):
    values = grey(4000)
    values[0, 0] = 65535
    layout, _ = settled([png(values)])
    assert layout.reading == {"integers": 16}
    assert "If those are faulty pixels: --depth 12" in capsys.readouterr().err
    layout, examples = settled([png(values)], "12")
    pixels = layout.reader.read(examples.items[0].raw)
    assert pixels[0, 0, 0] == 255
    assert pixels[-1, -1, 0] == 4000 >> 4


def test_pictures_of_eight_bits_beside_wide_ones_stay_as_they_are_and_that_is_said(capsys):
    eight = np.arange(64, dtype="uint8").reshape(8, 8)
    layout, examples = settled([png(grey(3000)), saved(eight, "PNG")])
    assert "Pictures of 8 bits beside them: 1" in capsys.readouterr().err
    assert np.array_equal(layout.reader.read(examples.items[1].raw)[..., 0], eight)
    alone = settled([saved(eight, "PNG")])[1]
    assert alone.items[0].content == examples.items[1].content == Pictures().fingerprint(np.dstack([eight] * 3))


def test_features_of_a_wide_picture_are_cached_for_each_depth():
    contents = {depth: settled([png(grey(3000))], depth)[1].items[0].content for depth in ("auto", "12", "14", "16")}
    assert contents["auto"] == contents["12"]
    assert len(set(contents.values())) == 3


def test_one_content_has_one_fingerprint_whatever_file_it_is_in():
    values = grey(3000)
    files = [
        png(values),
        saved(values),
        saved(values.astype("int32")),
        b"P5 48 48 65535\n" + values.astype(">u2").tobytes(),
    ]
    assert len({Pictures().survey(file).content for file in files}) == 1


def test_colours_keep_all_their_bits():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4096, (9, 7, 3)).astype("uint16")
    for file in (png(values), b"P6 7 9 65535\n" + values.astype(">u2").tobytes()):
        assert np.array_equal(TWELVE.read(file), values >> 4)
    opacity = np.full((9, 7, 1), 65535, "uint16")
    assert np.array_equal(TWELVE.read(png(np.dstack([values, opacity]))), values >> 4)
    assert (TWELVE.read(png(np.dstack([values, 0 * opacity]))) == 255).all()


def test_where_only_the_upper_bits_can_be_read_fewer_bits_are_refused():
    file = png(np.full((4, 4, 2), 3000, "uint16"))
    with pytest.raises(zoo.BadData, match="16 bits, of which only the upper 8 can be read, where 12 are used"):
        TWELVE.read(file)
    assert Pictures(Depth(16)).read(file).shape == (4, 4, 3)


def test_a_file_that_says_how_many_bits_it_uses_needs_no_guess(capsys):
    values = grey(900)
    file = b"P5 48 48 1000\n" + values.astype(">u2").tobytes()
    assert settled([file])[0].reading == {}
    assert capsys.readouterr().err == ""
    assert Pictures().read(file).max() in (229, 230)


@pytest.mark.parametrize(
    ("values", "reading", "white"),
    [
        (np.linspace(0, 1, 64), {"floats": "float"}, 255),
        (np.linspace(0, 0.5, 64), {"floats": "float"}, 128),
        (np.linspace(0, 255, 64), {"floats": 8}, 255),
        (np.linspace(0, 4095, 64), {"floats": 12}, 255),
    ],
)
def test_floats(values, reading, white):
    layout, examples = settled([saved(values.astype("float32").reshape(8, 8))])
    assert layout.reading == reading
    assert layout.reader.read(examples.items[0].raw).max() == white
    again = settled([saved(values.astype("float32").reshape(8, 8))], layout.reader.depth)[0]
    assert again.reading == reading


def test_floats_that_may_be_either_are_a_question():
    with pytest.raises(zoo.BadData, match=r"values up to 1\.5, .*--depth float or --depth 8"):
        settled([saved(np.full((8, 8), 1.5, "float32"))])
    assert settled([saved(np.full((8, 8), 1.5, "float32"))], "8")[0].reading == {"floats": 8}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((4, 4), -5, "int32"), "values from -5 to -5, where a picture has 0 to 65535"),
        (np.full((4, 4), 70000, "int32"), "values from 70000 to 70000"),
        (np.full((4, 4), -0.5, "float32"), "values from -0.5 to -0.5, where a picture has 0 to 1"),
        (np.full((4, 4), np.nan, "float32"), "not numbers"),
        (np.full((4, 4), np.inf, "float32"), "not numbers"),
    ],
)
def test_values_that_no_picture_has_are_refused(values, said):
    for reader in (Pictures(), TWELVE):
        with pytest.raises(zoo.BadData, match=said):
            reader.read(saved(values))
    with pytest.raises(zoo.BadData, match=said):
        settled([saved(values)])


def test_white_is_zero_is_turned_round():
    content = bytearray(saved(np.array([[0, 4095]], "uint16")))
    at = content.index(struct.pack("<HHI", 262, 3, 1)) + 8
    content[at] = 0
    assert TWELVE.read(bytes(content))[0, :, 0].tolist() == [255, 0]


def test_a_model_reads_a_picture_as_it_was_trained_or_says_why_not():
    trained = Pictures().configured({"integers": 12})
    assert trained.read(png(grey(300))).max() == 300 >> 4
    with pytest.raises(zoo.BadData, match="values up to 50000, where pictures are read as 12 bits"):
        trained.read(png(grey(50000)))
    _, examples = settled([png(grey(300)), png(grey(50000))], None, Layout(reading={"integers": 12}))
    assert len(examples.items) == len(examples.skipped) == 1


def test_a_model_trained_on_eight_bits_reads_only_what_is_certain():
    trained = Pictures().configured({})
    assert trained.read(png(grey(50000))).max() == 50000 >> 8
    with pytest.raises(zoo.BadData, match="not trained on such pictures"):
        trained.read(png(grey(3000)))


def test_a_model_from_before_there_was_a_choice_takes_the_upper_eight_bits():
    before = Pictures().configured(None)
    assert before.read(png(grey(3000))).max() == 3000 >> 8
    assert before.survey(png(grey(3000))).facts is None
    rgb = np.random.default_rng(0).integers(0, 65536, (9, 7, 3)).astype("uint16")
    assert np.array_equal(before.read(png(rgb)), rgb >> 8)


RGB = np.random.default_rng(1).integers(0, 256, (6, 5, 3)).astype("uint8")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (RGB, RGB),
        (RGB[..., 0], np.dstack([RGB[..., 0]] * 3)),
        (RGB[..., :1], np.dstack([RGB[..., 0]] * 3)),
        (np.dstack([RGB, np.full((6, 5), 255, "uint8")]), RGB),
        (np.dstack([RGB, np.zeros((6, 5), "uint8")]), np.full_like(RGB, 255)),
        (RGB.astype("int64"), RGB),
        (RGB.astype("float32"), RGB),
        (RGB / 255, RGB),
        (Image.fromarray(RGB), RGB),
        (Image.fromarray(RGB).convert("RGBA"), RGB),
        (RGB.astype("uint16") * 257, RGB),
    ],
)
def test_what_python_has_is_the_same_picture(given, wanted):
    assert np.array_equal(Pictures().checked(given), wanted)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "not a picture but NoneType"),
        (3.5, "not a picture but float"),
        (np.zeros((4, 4, 2), "uint8"), r"uint8, \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), "uint8"), r"\(0, 4, 3\)"),
        (np.zeros((4, 4), bool), "array of bool"),
        (np.zeros((4, 4), complex), "complex"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4, 3), 1.5), "floats with values up to 1.5"),
        (np.full((4, 4, 3), 300.0), "floats with values up to 300"),
        (np.full((4, 4, 3), -1), "values from -1 to -1"),
        (np.full((4, 4), 3000, "uint16"), "16 bits with values up to 3000"),
    ],
)
def test_a_doubtful_array_is_refused(given, said):
    with pytest.raises(zoo.BadData, match=said):
        Pictures().checked(given)


def test_an_array_of_sixteen_bits_follows_the_model():
    assert TWELVE.checked(np.full((2, 2), 3000, "uint16")).max() == 3000 >> 4
