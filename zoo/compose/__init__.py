"""encoder + head -> one keras.Model that takes raw input."""
