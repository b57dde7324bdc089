"""The shared trainer.

In: a plan. Out: a finished run folder; on the way the plan becomes a job (names, encoder, dataset), and the job a
session that goes through the phases and can be killed and resumed at any moment.
"""
