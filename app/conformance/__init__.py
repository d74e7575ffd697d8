"""Conformance: whether a service, or a consumer of its feed, keeps the promises of the feed, examined from outside."""
