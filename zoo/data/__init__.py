"""A person's data becomes examples, and examples become batches.

In: places (folders, tables, files), bytes or values, and the reader of their modality. Out: examples with a
fingerprint, a target and a split, what was left out and why, and batches of what a network takes.
"""
