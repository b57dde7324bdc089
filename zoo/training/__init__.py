"""The shared trainer: plan, phases, features of the frozen part, provenance."""
