# Mailsweep: plain make. `make help` lists the targets.
#
# Every object goes to $(O); a variant (sanitizers, test hooks) has an $(O) of
# its own, so that no two builds share a file.

VERSION    = 0.1
PREFIX    ?= /usr/local
DESTDIR   ?=
SYSCONFDIR ?= $(PREFIX)/etc/mailsweep
LIBEXECDIR ?= $(PREFIX)/libexec/mailsweep
DATADIR   ?= $(PREFIX)/share/mailsweep
MANDIR    ?= $(PREFIX)/share/man
UNITDIR   ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

O         ?= build/release
CC        ?= cc
PKGCONFIG ?= pkg-config
PKGS       = libpcap libssl libcrypto lmdb libconfuse libseccomp libcap-ng \
             json-c libmaxminddb

WARN    = -Wall -Wextra -Wshadow -Wconversion -Werror
HARDEN  = -fPIE -fstack-protector-strong
OPT    ?= -O2 -g
FORTIFY = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CPPFLAGS_ALL = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
          -DSYSCONFDIR='"$(SYSCONFDIR)"' -DDATADIR='"$(DATADIR)"' \
          -I. $(FORTIFY) $(VARIANT_CPPFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(WARN) $(HARDEN) $(OPT) $(VARIANT_CFLAGS) \
          $(shell $(PKGCONFIG) --cflags $(PKGS) 2>/dev/null) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack \
          $(VARIANT_CFLAGS) $(LDFLAGS)
LIBS    = $(shell $(PKGCONFIG) --libs $(PKGS) 2>/dev/null) -lnet -pthread

ifdef TESTHOOKS
VARIANT_CPPFLAGS += -DTESTHOOKS
O := build/hooks
endif
ifdef SANITIZE
VARIANT_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
VARIANT_CPPFLAGS += -DSANITIZED
FORTIFY :=
O := build/sanitize
endif

# Files with a main() of their own are kept out of the modules.
MAINS     = engine/main.c storage/mailsweep.c
ENGINE    = $(filter-out $(MAINS),$(wildcard engine/*.c))
PROBES    = $(filter-out $(MAINS),$(wildcard probes/*.c))
STORAGE   = $(filter-out $(MAINS),$(wildcard storage/*.c))
OBJS      = $(patsubst %.c,$(O)/%.o,$(ENGINE) $(PROBES) $(STORAGE))

PROGRAMS  = $(O)/mailsweepd $(O)/mailsweep

all: deps-present $(PROGRAMS) mailsweepd mailsweep

# The two programs at the top of the tree are links into the build.
mailsweepd mailsweep: FORCE
	@[ "$$(readlink $@)" = $(O)/$@ ] || ln -sfn $(O)/$@ $@

deps-present:
	@$(PKGCONFIG) --exists $(PKGS) 2>/dev/null || { \
	    echo 'libraries are missing: sudo scripts/install-deps' >&2; exit 2; }

$(O)/mailsweepd: $(O)/engine/main.o $(OBJS)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(O)/mailsweep: $(O)/storage/mailsweep.o $(OBJS)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Unit tests: test/unit/*.mk say which objects each links:
#     UNIT_ranges = engine/ranges engine/addr
# for test/unit/test_ranges.c.
-include $(wildcard test/unit/*.mk)
UNITS     = $(patsubst test/unit/test_%.c,%,$(wildcard test/unit/test_*.c))
UNITBINS  = $(patsubst %,$(O)/unit/%,$(UNITS))

.SECONDEXPANSION:
$(O)/unit/%: $(O)/test/unit/test_%.o $$(patsubst $$(percent),$(O)/$$(percent).o,$$(UNIT_$$*))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka
percent = %

unit: $(UNITBINS)
	@scripts/run-units $(UNITBINS)

clean:
	rm -rf build/release build/hooks build/sanitize build/clang \
	    mailsweepd mailsweep

help:
	@sed -n 's/^#: //p' Makefile

FORCE:
.PHONY: all clean help unit deps-present FORCE
-include $(shell find $(O) -name '*.d' 2>/dev/null)
