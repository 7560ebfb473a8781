"""What changes desk streams: load, decide, append at the expected version, say what to do on a conflict.

`configuration` plans, applies and exports the site's configuration; `customers` finds or makes the customer of a
number.
"""
