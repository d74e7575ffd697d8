"""Synchronisation: what other systems need to hold a copy of the ledger, and to prove what it contains."""
