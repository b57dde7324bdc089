"""Reads and writes run folders.

In: a folder. Out: the plan, the metrics, the history and the predictions of a run, without TensorFlow; its model, ready
to predict and evaluate; the differences between two runs; all runs below a folder.
"""
