"""Clients and their keys: admins create and end them, and every act is written to the audit trail."""
