"""Each process of an installation is killed, in turn and at random, under calls; then both sides are compared.

plan.py       which process is killed when, by seed
place.py      an installation as `ringledger run` keeps it, and its processes
callers.py    callers and phones of the simulated switch, and of a real one, with accounts of their own
fates.py      what the callers say beside what the ledger says
recorded.py   each talk beside its recording
run.py        one run, and its figures
"""
