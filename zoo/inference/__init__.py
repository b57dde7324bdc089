"""HOW a network that is not trained is run.

In: a Keras model, raw examples and options (engine, numeric type). Out: arrays, batch by batch, from a graph that is
folded to constants and was checked against float32.
"""
