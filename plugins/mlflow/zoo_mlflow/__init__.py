"""Every training is a run of MLflow: its epochs while they happen; at the end its settings, figures, files and model.

Where to is said by MLflow's own variables, MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME; without them, it is MLflow's
local store.
Whatever MLflow does or does not do, the training goes on.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.version import Version

import zoo

ZOO_API = ">=1.2,<2"

_OLDEST = "3.17"
_WAY_ON = f"to install it: pip install 'mlflow>={_OLDEST},<4'"

try:
    _found = metadata.version("mlflow")
except metadata.PackageNotFoundError:
    raise ImportError(f"MLflow is not installed; {_WAY_ON}") from None
if Version(_found) < Version(_OLDEST):
    raise ImportError(f"MLflow {_found} is too old; {_WAY_ON}")


@zoo.hookimpl
def zoo_callbacks(run: Any) -> list[Any]:
    from zoo_mlflow import follow

    return follow.callbacks(run.path)


@zoo.hookimpl
def zoo_run_finished(run: Any) -> None:
    from zoo_mlflow import follow

    follow.finished(run)


@zoo.hookimpl
def zoo_commands(app: Any) -> None:
    @app.command()
    def mlflow(run: Path) -> None:
        """Report a finished run to MLflow: one from before, or one that MLflow has not got all of."""
        from zoo_mlflow import follow

        follow.report(zoo.load_run(run))
