"""Who may do what: agencies, checkpoints, clients, keys, and the guard of every route."""
