"""Identity data of persons and documents: birth dates, document numbers, NIK, states, machine-readable zones, names.

Pure functions over plain values, used by the register when an entry is written and by the checks of
travellers at the border. Nothing here reads a database, a clock or a setting.
"""
