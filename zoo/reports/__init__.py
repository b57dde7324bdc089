"""Makes pages that people look at: a run as a report, several runs compared.

In: the files of a run, its data where it still is, and the features that were kept. Out: one self-contained HTML file.
A page is a list of sections, a section a list of figures: plain data, which heads and plugins give, too. Only
`blocks` and `plots` turn that into HTML, so everything that comes from data, heads or plugins is escaped there.
"""
