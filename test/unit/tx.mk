# What the sender's unit tests link.
UNIT_addr = engine/addr
UNIT_permute = engine/permute
UNIT_sweep = engine/sweep
UNIT_aim = engine/aim engine/ranges engine/addr
UNIT_ranges = engine/ranges engine/addr
UNIT_cookie = engine/cookie engine/canary engine/conf_port engine/addr
UNIT_frame = engine/frame engine/addr
UNIT_loss = engine/loss
UNIT_pacer = engine/pacer
UNIT_backoff = engine/backoff
UNIT_again = engine/again
SENDER = engine/sender engine/sender_outside engine/sender_fill engine/lead engine/aim engine/ranges \
    engine/addr engine/cookie engine/frame engine/permute engine/sweep \
    engine/pacer engine/log
UNIT_sender = $(SENDER) test/unit/sender_help
UNIT_sender_optouts = $(UNIT_sender)
UNIT_optouts = engine/optouts engine/wire engine/ranges engine/addr engine/log
UNIT_send = engine/send engine/optouts engine/backoff engine/again $(SENDER) engine/wire engine/stats engine/role
LINK = engine/link engine/link_packet engine/link_libnet engine/link_xdp \
    engine/link_live engine/live_kernel \
    engine/neighbour engine/frame engine/addr engine/ranges test/unit/link_help
UNIT_link = $(LINK)
UNIT_link_live = $(LINK)
UNIT_uplink = $(LINK) engine/uplink
