"""The twin held against numbers from outside: tables of the standard, closed forms, published curves."""
