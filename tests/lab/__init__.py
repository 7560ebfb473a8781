"""The laboratory: a real FreeSWITCH, real callers (sipp) and real phones (baresip, sipp) on the loopback.

Nothing in here is of the product: it only drives programs that the product must get along with, and reads what they
say. Whatever is started here is stopped here, also when the test fails.
"""
