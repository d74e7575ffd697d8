"""A demonstration of the register: a real server, a real stream for every checkpoint, invented persons."""
