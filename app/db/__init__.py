"""Access to the database on SQLite or PostgreSQL, through one interface to read and one to write."""
