# Mailsweep: plain make. `make help` lists the targets.
#
# Every object goes to $(O); a variant (sanitizers, test hooks, clang) has an
# $(O) of its own, so that no two builds share a file.

#: make               build the two programs, ./mailsweepd and ./mailsweep
#: sudo make demo     the laboratory, one sweep of it, what came of it
#: sudo make check    every test; last line: N passed, N failed
#: make unit          the unit tests alone, no root needed
#: make lint          clang-format, clang-tidy, cppcheck, check-style, mandoc
#: make format        clang-format -i over the tree
#: make sanitize      build, unit tests and fuzz seeds with ASan and UBSan
#: make fuzz          libFuzzer on each parser, FUZZ_SECONDS=60 each
#: sudo make bench    all that was promised, measured: the five below and what
#:                    things cost by themselves; about forty minutes. Without root:
#:                    bench-store and the latter
#: make bench-store   the part of it with ten million records (50 GB)
#: sudo make bench-tx      each way to send, beside zmap and masscan
#: sudo make bench-rx      answers at full speed, in the simulated internet
#: sudo make bench-pool    conversations under load, against a simulator
#: sudo make bench-checkpoint  sweeps with checkpoints, and without
#: sudo make torture      kill -9, full disks, links that flap: nothing lost
#: make internet      the simulated internet (test/internet/README.md)
#: make install       to PREFIX (/usr/local), under DESTDIR when that is set
#: make uninstall     what install put there, but for the configuration
#: make clean         all of build/ but the laboratory's unpacked servers
#:
#: V=1 shows the commands. Variants: CC=clang, SANITIZE=1, TESTHOOKS=1; each builds in build/ apart.

VERSION    = 0.1
PREFIX    ?= /usr/local
DESTDIR   ?=
SYSCONFDIR ?= $(PREFIX)/etc/mailsweep
DATADIR   ?= $(PREFIX)/share/mailsweep
MANDIR    ?= $(PREFIX)/share/man
UNITDIR   ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

CC        ?= cc
PKGCONFIG ?= pkg-config
INSTALL   ?= install
PKGS       = libpcap libssl libcrypto lmdb libconfuse libseccomp libcap-ng \
             json-c libmaxminddb libcares libxxhash libzip libpcre2-8 libxdp libbpf

# The variant's directory: what differs in a build is in its name.
VARIANT = $(if $(findstring clang,$(CC)),clang,release)
ifdef SANITIZE
VARIANT = sanitize
endif
ifdef FUZZER
VARIANT = fuzz
endif
O ?= build/$(VARIANT)$(if $(TESTHOOKS),-hooks)

WARN    = -Wall -Wextra -Wshadow -Wconversion -Wvla -Werror
HARDEN  = -fPIE -fstack-protector-strong
OPT    ?= -O2 -g
FORTIFY = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all \
          -fno-omit-frame-pointer

# The sanitizers have checks of their own, which _FORTIFY_SOURCE would hide.
ifneq ($(SANITIZE)$(FUZZER),)
VARIANT_CFLAGS += $(SANITIZERS)
VARIANT_CPPFLAGS += -DSANITIZED
FORTIFY = -U_FORTIFY_SOURCE
endif
ifdef FUZZER
VARIANT_CFLAGS += -fsanitize=fuzzer-no-link
endif
ifdef TESTHOOKS
VARIANT_CPPFLAGS += -DTESTHOOKS
endif

# Asked for once, and only when something is compiled: on a fresh machine
# pkg-config itself is still to be installed.
PKG_CFLAGS = $(eval PKG_CFLAGS := \
          $(shell $(PKGCONFIG) --cflags $(PKGS) 2>/dev/null))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := \
          $(shell $(PKGCONFIG) --libs $(PKGS) 2>/dev/null))$(PKG_LIBS)

CPPFLAGS_ALL = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
          -DSYSCONFDIR='"$(SYSCONFDIR)"' -DDATADIR='"$(DATADIR)"' \
          -DLIVE_OBJECT='"$(O)/engine/live.bpf.o"' -I. $(FORTIFY) $(VARIANT_CPPFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(WARN) $(HARDEN) $(OPT) $(VARIANT_CFLAGS) \
          $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed \
          $(VARIANT_CFLAGS) $(LDFLAGS)
LIBS    = $(PKG_LIBS) -lnet -lm -pthread

# Files with a main() of their own are kept out of the modules.
MAINS     = engine/main.c storage/mailsweep.c
MODULES   = $(filter-out $(MAINS) %.bpf.c,\
          $(wildcard engine/*.c probes/*.c storage/*.c))
OBJS      = $(MODULES:%.c=$(O)/%.o)

# What is being made, in a word; V=1 shows the whole command.
ifdef V
say =
else
say = @printf '  %-5s %s\n' $(1) $@;
endif

PROGRAMS  = $(O)/mailsweepd $(O)/mailsweep

all: deps-present $(PROGRAMS) $(if $(filter build/release,$(O)),links)

# The two programs at the top of the tree are links into the build.
links:
	@for p in mailsweepd mailsweep; do \
	    [ "$$(readlink $$p)" = $(O)/$$p ] || ln -sfn $(O)/$$p $$p; done

deps-present:
	@$(PKGCONFIG) --exists $(PKGS) 2>/dev/null || { \
	    echo 'libraries are missing, type: sudo scripts/install-deps' >&2; \
	    exit 2; }

$(O)/mailsweepd: $(O)/engine/main.o $(OBJS)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# Of the archive it takes what it needs: nothing that sends.
$(O)/mailsweep: $(O)/storage/mailsweep.o $(O)/modules.a
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# Everything but the mains, for programs that name no objects of their own.
$(O)/modules.a: $(OBJS)
	@rm -f $@
	$(call say,AR)ar rcs $@ $^

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# What the kernel runs; it is a part of the object that loads it.
BPF_CLANG ?= clang
# <asm/types.h> lies where Debian keeps what is of one architecture.
BPF_CFLAGS = -O2 -g -target bpf -Wall -Wextra -Werror \
          -I/usr/include/$(shell uname -m)-linux-gnu
$(O)/engine/%.bpf.o: engine/%.bpf.c engine/live.h
	@mkdir -p $(@D)
	$(call say,BPF)$(BPF_CLANG) $(BPF_CFLAGS) -I. -c -o $@ $<
$(O)/engine/live_kernel.o: $(O)/engine/live.bpf.o
# Files that are part of an object.
$(O)/storage/report_assets.o: $(wildcard storage/report/*)

# Other flags, other objects: `make install PREFIX=/usr` after a plain make
# must not leave /usr/local in them.
FLAGS_NOW = $(subst ','\'',$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL))
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS_NOW)' | cmp -s - $@ || \
	    printf '%s\n' '$(FLAGS_NOW)' >$@

# Unit tests: test/unit/*.mk say which objects each links:
#     UNIT_ranges = engine/ranges engine/addr
# for test/unit/test_ranges.c.
-include $(wildcard test/unit/*.mk)
UNITS     = $(patsubst test/unit/test_%.c,%,$(wildcard test/unit/test_*.c))
UNITBINS  = $(UNITS:%=$(O)/unit/%)

percent = %
.SECONDEXPANSION:
$(O)/unit/%: $(O)/test/unit/test_%.o \
    $$(patsubst $$(percent),$(O)/$$(percent).o,$$(UNIT_$$*))
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka

units: $(UNITBINS)
unit: units
	@scripts/run-units $(UNITBINS)

# Fuzz targets, test/fuzz/fuzz_X.c with its seeds in test/fuzz/corpus/X. With
# SANITIZE=1 a small main() replays the seeds; with FUZZER=1 it is libFuzzer's.
FUZZERS   = $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
FUZZBINS  = $(FUZZERS:%=$(O)/fuzz/%)
FUZZ_SECONDS ?= 60

$(O)/fuzz/%: $(O)/test/fuzz/fuzz_%.o \
    $(if $(FUZZER),,$(O)/test/fuzz/replay.o) $(O)/modules.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) $(if $(FUZZER),-fsanitize=fuzzer) -o $@ $^ $(LIBS)

fuzzers: $(FUZZBINS)
seeds: fuzzers
	@scripts/run-fuzz replay $(FUZZBINS)
fuzz:
	@$(MAKE) FUZZER=1 CC=clang fuzzers
	@scripts/run-fuzz $(FUZZ_SECONDS) $(FUZZERS:%=build/fuzz/fuzz/%)

sanitize:
	@$(MAKE) SANITIZE=1 all unit
	@$(MAKE) SANITIZE=1 seeds

BENCHES   = $(patsubst test/bench/bench_%.c,%,$(wildcard test/bench/bench_*.c))
$(O)/bench/pool_cpu: $(O)/test/bench/mailsim_host.o \
    $(O)/test/bench/mailsim_tls.o $(O)/test/bench/pool_least.o
$(O)/bench/%: $(O)/test/bench/bench_%.o $(O)/modules.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
bench: $(BENCHES:%=$(O)/bench/%) all storegen
	@for b in $(BENCHES:%=$(O)/bench/%); do echo "== $${b##*/}"; $$b || exit 1; done
	@echo "== store"; BIN=$(O) test/bench/bench_store.py
	@[ "$$(id -u)" -eq 0 ] || { \
	    echo "not measured without root: $(ON_A_WIRE:bench-%=%)" >&2; exit; }; \
	for part in $(ON_A_WIRE); do echo "== $${part#bench-}"; \
	    $(MAKE) --no-print-directory $$part || exit 1; done

# In namespaces of their own: root.
ON_A_WIRE = bench-tx bench-rx bench-pool bench-checkpoint

# Ten million records, 50 GB below build/bench-store; eleven minutes the first
# time, four when they are there.
bench-store: all storegen
	@BIN=$(O) test/bench/bench_store.py

$(O)/bench/wire: $(O)/test/bench/wire.o $(O)/modules.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# On a wire of their own, in namespaces: root.
bench-tx: $(O)/bench/wire $(O)/bench/tx
	$(need_root)@test/bench/tx

# What load is made with: many mail servers in one program.
MAILSIM   = $(patsubst %.c,$(O)/%.o,$(wildcard test/bench/mailsim*.c))
$(O)/bench/mailsim: $(MAILSIM)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lssl -lcrypto
$(O)/bench/pool_client: $(O)/test/bench/pool_client.o \
    $(O)/test/bench/pool_least.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lssl -lcrypto
$(O)/bench/pool_floor: $(O)/test/bench/pool_floor.o \
    $(O)/test/bench/pool_least.o $(O)/test/bench/mailsim_tls.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lssl -lcrypto
$(O)/bench/pool_pace: $(O)/test/bench/pool_pace.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcrypto
mailsim: $(O)/bench/mailsim

$(O)/bench/adopt: $(O)/test/bench/adopt.o $(O)/modules.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

POOL      = $(PROGRAMS) $(O)/bench/mailsim $(O)/bench/pool_client \
          $(O)/bench/pool_cpu $(O)/bench/pool_floor $(O)/bench/pool_pace \
          $(O)/bench/adopt
# Beside zmap and masscan; eight minutes.
bench-rx: all internet
	$(need_root)@test/bench/bench_rx.sh

bench-pool: $(POOL)
	$(need_root)@BIN=$(O) test/bench/bench_pool.sh

# What a checkpoint a second costs; about three minutes.
$(O)/bench/checkpoint: $(O)/test/bench/checkpoint.o $(O)/modules.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
bench-checkpoint: all internet $(O)/bench/checkpoint $(O)/bench/pool_cpu
	$(need_root)@BIN=$(O) test/bench/checkpoint.py

# Makes stores of any size, and seals them.
STOREGEN  = $(patsubst %.c,$(O)/%.o,$(wildcard test/bench/storegen*.c))
$(O)/bench/storegen: $(STOREGEN) $(O)/modules.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
storegen: $(O)/bench/storegen

# The simulated internet: a BPF program and what loads it.
INTERNET  = $(O)/internet/simnet $(O)/internet/simnet.bpf.o
internet: $(INTERNET)
$(O)/internet/simnet: $(O)/test/internet/simnet.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lbpf
$(O)/internet/%.bpf.o: test/internet/%.bpf.c test/internet/simnet.h
	@mkdir -p $(@D)
	$(call say,BPF)$(BPF_CLANG) $(BPF_CFLAGS) -c -o $@ $<

# The laboratory needs namespaces, and they need root; the scripts build as
# the person who called sudo.
need_root = $(if $(filter 0,$(shell id -u)),,$(error \
    the laboratory needs root, type: sudo make $@))
TORTURE_SECONDS ?= 150
torture: all internet
	$(need_root)@BIN=$(O) test/torture/run --seconds $(TORTURE_SECONDS)
check:
	$(need_root)@scripts/check
demo:
	$(need_root)@scripts/demo

LINT_FLAGS = -std=c11 $(CPPFLAGS_ALL) -Wall -Wextra -Wshadow -Wconversion \
          $(PKG_CFLAGS)
lint:
	@scripts/lint $(LINT_FLAGS)
format:
	@scripts/sources c | xargs clang-format-14 -i

MAN8 = engine/mailsweepd.8 scripts/mailsweep-nightly.8
UNITFILES = mailsweepd.service mailsweep-nightly.path mailsweep-nightly.service
MAN5 = conf/mailsweep.conf.5
MAN1 = storage/mailsweep.1
TO   = $(DESTDIR)$(PREFIX)
# A configuration that is there already is its owner's and stays.
install: all
	$(INSTALL) -d $(TO)/sbin $(TO)/bin $(DESTDIR)$(MANDIR)/man1 \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 \
	    $(DESTDIR)$(SYSCONFDIR) $(DESTDIR)$(DATADIR)/feeds \
	    $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR)
	$(INSTALL) -m 755 $(O)/mailsweepd $(TO)/sbin
	$(INSTALL) -m 755 $(O)/mailsweep $(TO)/bin
	$(INSTALL) -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 644 $(MAN5) $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 644 $(MAN8) $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 644 conf/mailsweep.conf.example $(DESTDIR)$(SYSCONFDIR)
	$(INSTALL) -m 644 conf/exclude.conf conf/advice conf/smtp-vulnerable conf/products \
	    $(DESTDIR)$(DATADIR)
	$(INSTALL) -m 755 scripts/probing-txt scripts/nightly scripts/get-geo \
	    $(DESTDIR)$(DATADIR)
	$(INSTALL) -m 644 storage/feeds/*.txt $(DESTDIR)$(DATADIR)/feeds
	for unit in $(UNITFILES); do \
	    sed -e 's|@SBINDIR@|$(PREFIX)/sbin|' \
	        -e 's|@DATADIR@|$(DATADIR)|' \
	        -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' conf/$$unit \
	        >$(DESTDIR)$(UNITDIR)/$$unit && \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$$unit || exit 1; done
	$(INSTALL) -m 644 conf/mailsweep.sysusers \
	    $(DESTDIR)$(SYSUSERSDIR)/mailsweep.conf

uninstall:
	rm -f $(TO)/sbin/mailsweepd $(TO)/bin/mailsweep \
	    $(DESTDIR)$(MANDIR)/man1/$(notdir $(MAN1)) \
	    $(DESTDIR)$(MANDIR)/man5/$(notdir $(MAN5)) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(MAN8))) \
	    $(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITFILES)) \
	    $(DESTDIR)$(SYSUSERSDIR)/mailsweep.conf
	rm -rf $(DESTDIR)$(DATADIR)

clean:
	rm -rf build/release* build/clang* build/sanitize* build/fuzz* \
	    build/install build/check build/demo mailsweepd mailsweep

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

FORCE:
.SECONDARY:
.PHONY: all links clean help internet units unit fuzzers seeds fuzz sanitize \
    bench bench-store bench-tx bench-rx mailsim bench-pool bench-checkpoint torture check demo lint format install uninstall deps-present FORCE
-include $(shell find $(O) -name '*.d' 2>/dev/null)
