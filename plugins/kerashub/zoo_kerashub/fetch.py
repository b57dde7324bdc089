"""Downloads a preset with the library that KerasHub itself uses."""

from pathlib import Path

import zoo


def fetch(weights: zoo.Weights, folder: Path) -> None:
    """Fill `folder` with the files of a preset: architecture, weights, and tokenizer or image converter.

    Raises `zoo.WeightsUnavailable` if Kaggle cannot be reached, or requires you to accept a licence first.
    """
    handle = weights.source.removeprefix("kaggle://")
    try:
        import kagglehub

        kagglehub.model_download(handle, output_dir=str(folder))
    except Exception as error:  # whatever kagglehub and the libraries below it raise
        reason = str(error).strip().partition("\n")[0][:200]
        page = f"https://www.kaggle.com/models/{handle.rpartition('/')[0]}"
        raise zoo.WeightsUnavailable(f"kagglehub cannot fetch {handle} ({reason}). Its page is {page}") from None
