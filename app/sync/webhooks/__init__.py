"""Webhooks: records of the ledger posted to endpoints of integrators and checkpoints, signed, at least once."""
