# What the sender's unit tests link.
UNIT_addr = engine/addr
UNIT_permute = engine/permute
UNIT_sweep = engine/sweep
UNIT_ranges = engine/ranges engine/addr
UNIT_cookie = engine/cookie engine/addr
UNIT_frame = engine/frame engine/addr
