"""Runs networks that are not being trained.

In: a Keras model, raw examples and options (engine, precision). Out: arrays, batch by batch, from a graph whose
variables are folded into constants and whose output was checked against float32.
"""
