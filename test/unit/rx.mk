# What is received, and what becomes of it.
UNIT_segment = engine/segment engine/frame engine/addr
