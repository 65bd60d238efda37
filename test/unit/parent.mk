# The daemon's parent and what all roles share.
UNIT_wire = engine/wire
UNIT_stats = engine/stats
