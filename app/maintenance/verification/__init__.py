"""`cekal verify`: whether the whole register agrees with itself and with every head that was signed."""
