"""Hundreds of KerasHub presets as backbones for pictures and texts, from its own files or from a local folder."""

import zoo

ZOO_API = ">=1.0,<2"


@zoo.hookimpl
def zoo_backbones() -> list[zoo.Backbone]:
    from zoo_kerashub.facts import backbones

    return backbones()
