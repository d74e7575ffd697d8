"""Messages that the register sends: alerts to checkpoints and notices to officers, read as pages or as streams.

Alerts are read from the ledger, notices from a table of their own. This package may import the register and the
packages below it.
"""
