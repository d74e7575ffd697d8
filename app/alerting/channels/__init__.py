"""Channels by which people are reached who look at no screen: e-mail, and a command for SMS or paging."""
