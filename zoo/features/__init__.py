"""The feature cache: what frozen networks gave for examples, on disk, shared by all runs.

In: a frozen network and examples. Out: their features, computed once and read where they lie, in the order and the
batches that a training asks for.
"""
