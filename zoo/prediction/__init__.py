"""Gets answers from a model, any number of times.

In: the parts of a model and its task, then values, files or tables. Out: an answer or a vector for each input, in
order, or the reason why there is none. A `Predictor` builds the graphs once and keeps them.
"""
