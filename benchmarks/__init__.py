"""Benchmarks: ratios against a peer in the same run, printed as tables. `make bench` runs them all. No test times anything."""
