"""Access control: agencies, checkpoints, clients, keys, and the guard of every route."""
