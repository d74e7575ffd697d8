"""Who a person or a paper is: birth dates, document numbers, NIK, states, machine-readable zones, names.

Pure functions over plain values, used by the register when an entry is written and by the checks at the
border when a traveller is asked about. Nothing here reads a database, a clock or a setting.
"""
