"""A backbone and a head become one model.

In: the offers of a backbone and a head, a weights file, and the head's task. Out: a Keras model from raw input to
outputs, its parts by name, and where it can be divided into what is frozen and what is trained.
"""
