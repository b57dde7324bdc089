"""The run folder as a record.

In: a folder. Out: the plan, the figures, the history and the predictions of a run, without TensorFlow; its model, ready
to predict and evaluate; what differs between two runs; all runs below a folder.
"""
