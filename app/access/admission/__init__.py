"""Admission: from a request's key to an actor, its quota, its permission and its transaction."""
