"""The two engines, SQLite and PostgreSQL, behind one way to read and one way to write."""
