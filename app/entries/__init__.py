"""The register: entries, their periods, decisions and the law's rules."""
