"""Supervision reports: what a province's supervision team (Timpora) has seen of foreigners."""
