"""One set of contract tests, run against the simulated switch and a real one.

What passes on both is what the product may rely on. Everything goes through the production link, performer and
translation; `driver` moves the far ends (callers, phones), `desk` is the product's side.
"""
