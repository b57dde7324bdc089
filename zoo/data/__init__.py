"""Turns the user's data into examples, and examples into batches.

In: places (folders, tables, files), bytes or values, and the reader of their modality. Out: examples with a
fingerprint, a target and a split; the inputs that were left out, and why; and batches that a network takes.
"""
