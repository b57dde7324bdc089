"""The command line: one module for each group of commands.

In: the arguments of a shell, as options made from the fields of settings. Out: what one function of the API returned,
printed as text, a table or JSON, and an exit status.
"""
