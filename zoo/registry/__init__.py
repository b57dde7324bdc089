"""WHERE plugins come from: registries, search, installing, starting a new one. Never imports TensorFlow.

In: `registry.toml` files, and names, wheels or folders of plugins. Out: what is found, a plan of what would be
installed, and an environment that is changed as planned or not at all.
"""
