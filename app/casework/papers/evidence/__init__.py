"""Evidence files for a court: their content and their archive format."""
