"""HOW weights arrive: sources, cache, checksums, mirrors, offline. Never imports TensorFlow.

In: the spec of some weights, or what a person names. Out: a verified file on this disk, or a sentence with the ways to
go on without it.
"""

from zoo.catalog.caches import cache_folder
from zoo.weights.cache import content_sha256, converted
from zoo.weights.hdf5 import refuse_foreign_parts
from zoo.weights.hub import hub_folder
from zoo.weights.resolve import HERE, check_choice, choose, locate, obtain, pull, source_of_package, state, states

__all__ = [
    "HERE",
    "cache_folder",
    "check_choice",
    "choose",
    "content_sha256",
    "converted",
    "hub_folder",
    "locate",
    "obtain",
    "pull",
    "refuse_foreign_parts",
    "source_of_package",
    "state",
    "states",
]
