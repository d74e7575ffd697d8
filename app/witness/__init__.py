"""A witness of transparency logs (C2SP tlog-witness): a service of its own that knows nothing of the register."""
