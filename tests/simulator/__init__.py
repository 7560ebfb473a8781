"""The simulated switch: held against the captured streams of a real one, its protocol, its faults, its speed."""
