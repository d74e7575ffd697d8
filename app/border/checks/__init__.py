"""Checks: questions about travellers at the border, their answers, and the records of both."""
