"""Work on cases: worklist, letters and evidence files, statistics, retention.

These features read the records of all other features, and add papers, figures and erasure. This package may import
every other one except maintenance.
"""
