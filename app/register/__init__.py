"""The register: entries, the procedures that change or end them, and the lists from which entries are imported.

Each feature package here enforces the law's rules and the four-eyes principle. It may import the ledger, access and
the packages below them. It must not import checkpoints, alerts or notices: those packages subscribe to its events.
"""
