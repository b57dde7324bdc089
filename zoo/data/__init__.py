"""Examples in: folders and tables, splits, targets, tf.data pipelines."""
