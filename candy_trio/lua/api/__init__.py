"""What scripts see: each area in two halves, ``NAME.lua`` (the surface) and, where it asks
something of the server, ``NAME.py``.
"""
