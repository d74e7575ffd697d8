"""Suspension of time-driven, irreversible acts while the clock is not plausible."""
