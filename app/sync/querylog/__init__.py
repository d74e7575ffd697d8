"""The query log: checks, receipts and acts, sealed in batches by records of the ledger."""
