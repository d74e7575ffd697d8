"""Holding back what follows from time alone and can't be undone, while the clock is not plausible."""
