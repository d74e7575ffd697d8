"""How far an alert has come: which checkpoints hold it, since when, and who was paged where it is not acknowledged."""
