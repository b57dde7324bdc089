"""Trains a model and writes a run folder.

In: a plan. Out: a finished run folder. The plan becomes a job (names, encoder, dataset), and the job becomes a session,
which carries out the phases and can be killed and resumed at any moment.
"""
