"""The border: checks of travellers, hits, clearances, passenger manifests, and searches of past checks.

These features answer questions about travellers, or follow from such answers. This package may import alerting, the
register and the packages below them.
"""
