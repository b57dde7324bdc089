"""What is worth a look in a data set and in a run: from kept features and results, without TensorFlow."""
