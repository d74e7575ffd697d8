"""The query log: checks, receipts, acts and versions, sealed in batches by records of the ledger."""
