"""KEPT features: what frozen backbones gave, on disk, shared by all runs."""
