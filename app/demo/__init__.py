"""The register shown at work: a real server, a real stream for every checkpoint, invented persons."""
