"""HOW weights arrive: sources, cache, checksums, mirrors, offline. Never imports TensorFlow."""

from zoo.weights.cache import cache_folder, converted
from zoo.weights.resolve import choose, locate, obtain, pull, state

__all__ = ["cache_folder", "choose", "converted", "locate", "obtain", "pull", "state"]
