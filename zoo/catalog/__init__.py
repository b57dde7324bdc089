"""WHAT exists: specs, hook specifications, the plugin host. Never imports TensorFlow."""

from zoo.catalog.catalog import Catalog, Offer, catalog, catalog_afresh
from zoo.catalog.hookspecs import API_VERSION, hookimpl
from zoo.catalog.host import Plugin
from zoo.catalog.specs import Backbone, Head, Option, Pixels, Weights

__all__ = [
    "API_VERSION",
    "Backbone",
    "Catalog",
    "Head",
    "Offer",
    "Option",
    "Pixels",
    "Plugin",
    "Weights",
    "catalog",
    "catalog_afresh",
    "hookimpl",
]
