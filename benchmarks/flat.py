"""A table of 50,000 against one of 1,000,000 texts: the peak memory of `zoo train` with a text encoder of two layers.

A text of 16 bytes of fingerprint, in hexadecimal, takes about 80 bytes, which are left out of the ratio.
"""

import argparse
import statistics
import tempfile
import zipfile
from pathlib import Path

from common import HERE, ZOO, record, timed

TINY = HERE.parent / "plugins/tfhub_bert/tests/tiny_bert.zip"
FINGERPRINT = 81  # bytes of a text of 32 digits in Python


def write_table(path: Path, count: int) -> None:
    """Texts that are all different, with one of two labels."""
    with path.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        for number in range(count):
            word = ("good", "bad")[number % 2]
            file.write(
                f'"Number {number}: a {word} film, with {number % 97} scenes that one does not forget.",{word}\n'
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--counts", type=int, nargs=2, default=(50_000, 1_000_000))
    options = parser.parse_args()
    peaks: dict[int, list[float]] = {count: [] for count in options.counts}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(TINY) as archive:
            archive.extractall(folder / "tiny")
        for count in options.counts:
            write_table(folder / f"{count}.csv", count)
        for number in range(options.pairs):
            for count in options.counts:
                out, cache = folder / f"run-{count}-{number}", folder / f"cache-{count}-{number}"
                command = [*ZOO, "train", "bert", folder / f"{count}.csv", "--weights", folder / "tiny"]
                spent, _, memory = timed([*command, "--epochs", 1, "--out", out], ZOO_CACHE=str(cache))
                peaks[count].append((memory - count * FINGERPRINT) / 1e6)
                print(f"  {count:>9}  {peaks[count][-1]:.0f} MB without fingerprints  {spent:.0f} s", flush=True)
    few, many = (statistics.median(peaks[count]) for count in options.counts)
    print(f"many / few: {many / few:.2f}")
    counts = {"few": options.counts[0], "many": options.counts[1]}
    record("flat", {"pairs": options.pairs, **counts, "few_mb": few, "many_mb": many, "ratio": many / few})


if __name__ == "__main__":
    main()
