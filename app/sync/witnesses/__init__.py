"""Witnesses of the register's log: heads are pushed to them, and their cosignatures are kept."""
