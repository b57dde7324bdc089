"""The run folder: write and read it, predict, evaluate."""
