"""Admission: finds the actor of a request by its key, and gives it quota, permission and transaction."""
