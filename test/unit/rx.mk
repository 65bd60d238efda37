# What is received, and what becomes of it.
RX_FLOW = engine/flow engine/flow_entry engine/flow_turn engine/flow_time engine/throttle \
    engine/flow_stray engine/flow_optout \
    engine/waiting engine/bulk engine/deadlines engine/limits engine/canary engine/cookie engine/addr engine/ranges \
    engine/conf_port
UNIT_segment = engine/segment engine/frame engine/addr
UNIT_bulk = engine/bulk
UNIT_waiting = engine/waiting engine/bulk engine/deadlines engine/addr
UNIT_limits = engine/limits engine/bulk engine/addr
UNIT_throttle = engine/throttle
UNIT_flow = $(RX_FLOW) test/unit/flow_help
UNIT_flow_throttle = $(UNIT_flow)
UNIT_flow_refused = $(UNIT_flow)
UNIT_flow_challenge = $(UNIT_flow)
UNIT_flow_optout = $(UNIT_flow)
UNIT_flow_walk = $(UNIT_flow)
UNIT_notes = engine/notes engine/wire engine/log
UNIT_buffer = engine/buffer engine/adopt engine/addr
UNIT_ring = engine/ring
UNIT_adopter = engine/adopter engine/adopt engine/buffer engine/addr \
    test/unit/link_help
UNIT_handoffs = engine/handoffs engine/wire
UNIT_connect = engine/connect engine/adopt engine/buffer engine/ranges engine/addr
# Root only, in namespaces of its own; test/e2e/adoption.sh runs it.
UNIT_adoption = test/unit/adoption_lab test/unit/adoption_world $(RX_FLOW) \
    engine/packet engine/dial engine/buffer engine/adopter engine/ring engine/handoffs engine/optouts engine/adopt engine/connect engine/notes \
    engine/segment engine/frame engine/link engine/link_packet \
    engine/link_libnet engine/link_xdp engine/link_live engine/live_kernel engine/link_pcap engine/neighbour engine/nft \
    engine/wire engine/stats engine/role engine/log engine/sandbox \
    engine/sandbox_rules engine/landlock engine/proc engine/sports
