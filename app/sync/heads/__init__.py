"""Signed heads: the ledger's size and root, signed by the register's keys at least every minute."""
