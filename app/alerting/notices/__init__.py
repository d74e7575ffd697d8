"""Notices to officers: measures that end soon, deadlines that passed, checkpoints that are silent, and others."""
