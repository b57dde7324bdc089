"""WHERE plugins come from: the registry, search, install, uninstall, scaffold. Never imports TensorFlow."""
