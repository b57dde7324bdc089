"""HOW a network that is not trained is run: folded to constants, in the best numeric type of the machine."""
