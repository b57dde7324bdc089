"""WHAT exists: specs, hook specifications, the plugin host. Never imports TensorFlow.

In: the entry points of the installed distributions. Out: the catalog of backbones, heads and modalities, as facts and
import strings; nothing is built.
"""

from zoo.catalog.catalog import Catalog, Offer, catalog, catalog_afresh
from zoo.catalog.hookspecs import API_VERSION, hookimpl
from zoo.catalog.plugin import Plugin
from zoo.catalog.specs import Backbone, Head, Modality, Option, Pixels, Weights

__all__ = [
    "API_VERSION",
    "Backbone",
    "Catalog",
    "Head",
    "Modality",
    "Offer",
    "Option",
    "Pixels",
    "Plugin",
    "Weights",
    "catalog",
    "catalog_afresh",
    "hookimpl",
]
