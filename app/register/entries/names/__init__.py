"""Names of entries: split into full name and aliases, and indexed by stored keys."""
