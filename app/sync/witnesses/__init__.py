"""Witnesses of the register's log: signed heads are sent to them, and their cosignatures are stored."""
