"""Combines a backbone and a head into one model.

In: the offers of a backbone and a head, a weights file, and the head's task. Out: a Keras model from raw input to
outputs, its parts by name, and its division into a frozen and a trained part.
"""
