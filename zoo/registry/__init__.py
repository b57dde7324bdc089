"""WHERE plugins come from: registries, search, installing, starting a new one. Never imports TensorFlow."""
