"""Duties about an entry in addition to its decision (delivery, notice, passport): open, or done with a proof."""
