# What is received, and what becomes of it.
UNIT_segment = engine/segment engine/frame engine/addr
UNIT_waiting = engine/waiting engine/cookie engine/addr
UNIT_limits = engine/limits engine/cookie engine/addr
UNIT_flow = engine/flow engine/flow_entry engine/flow_turn engine/flow_time \
    engine/waiting engine/limits engine/cookie engine/addr engine/ranges \
    engine/conf_port
