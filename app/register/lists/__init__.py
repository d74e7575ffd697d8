"""Imports of published lists of persons (UN list) and of older registers."""
