"""Asking a model any number of times.

In: the parts of a model and its task, then values, files or tables. Out: for each input in order an answer or a vector,
or the reason why there is none; the graphs for that are made once and kept by a `Predictor`.
"""
