"""The feature cache: the outputs of frozen networks, on disk, shared by all runs.

In: a frozen network and examples. Out: their features, computed once and mapped into memory, in the order and the
batches that a training asks for.
"""
