"""The feed of changes: the ledger's records as JSON pages, as lines, and as a stream of events."""
