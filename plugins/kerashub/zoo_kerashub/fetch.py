"""Downloading a preset, by the library that KerasHub itself downloads with."""

from pathlib import Path

import zoo


def fetch(weights: zoo.Weights, folder: Path) -> None:
    """Fill `folder` with the files of a preset: architecture, weights, and tokenizer or image converter.

    Raises `zoo.WeightsUnavailable` where Kaggle cannot be reached, or wants a licence to be accepted first.
    """
    handle = weights.source.removeprefix("kaggle://")
    try:
        import kagglehub

        kagglehub.model_download(handle, output_dir=str(folder))
    except Exception as error:  # whatever kagglehub and the libraries below it raise
        reason = str(error).strip().partition("\n")[0][:200]
        page = f"https://www.kaggle.com/models/{handle.rpartition('/')[0]}"
        raise zoo.WeightsUnavailable(f"kagglehub cannot fetch {handle} ({reason}); its page is {page}") from None
