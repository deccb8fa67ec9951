# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The whole build. `make` builds, `make demo` shows, `make check` tests; V=1 shows commands.

VERSION := 0.1.0
O       := .output
ARCH    := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

# Also in /usr/sbin, which is not in a user's PATH, and under names with a version.
find-tool = $(shell tools/deps find $(1))
ifeq ($(origin CC),default)
CC := gcc
endif
ifndef CLANG
CLANG := $(call find-tool,clang)
endif
ifndef LLVM_STRIP
LLVM_STRIP := $(call find-tool,llvm-strip)
endif
ifndef BPFTOOL
BPFTOOL := $(call find-tool,bpftool)
endif
PKG_CONFIG ?= pkg-config
MULTIARCH  := $(shell $(CC) -print-multiarch 2>/dev/null)
prefix     ?= /usr/local

# To build for another system (see arm64): where its headers and libraries are, and where to
# put the tools, which for this one is here.
SYSROOT :=
BIN     :=

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes $(if $(WERROR),-Werror)
CPPFLAGS_ALL := -D_GNU_SOURCE -DWIRESCOPE_VERSION='"$(VERSION)"' -Iinclude -Iuser/lib -I$(O) \
	$(shell $(PKG_CONFIG) --cflags libbpf libelf jansson libseccomp) $(CPPFLAGS)
CFLAGS_ALL   := -std=gnu11 $(WARN) $(CFLAGS)
BPF_CFLAGS   := -target bpf -mcpu=v3 -O2 -g -D__TARGET_ARCH_$(ARCH) -Wall -Wextra \
	-Wno-unused-parameter -Wno-missing-declarations $(if $(WERROR),-Werror) \
	-Ivmlinux -Ibpf/lib -Iinclude $(if $(SYSROOT),--sysroot=$(SYSROOT)) \
	-idirafter $(SYSROOT)/usr/include/$(MULTIARCH) $(BPF_CPPFLAGS)

# It takes instructions apart; only for tools that put probes into functions.
LIBS_x86 := -Wl,--push-state,--as-needed -lZydis -Wl,--pop-state

# libbpf is linked statically: the layout of USDT arguments is shared between its headers and
# its code, and differs between releases that have the same soname.
WRAPPED := btf__load_vmlinux_btf bpf_prog_load bpf_btf_get_next_id elf_begin
LIBS := $(foreach f,$(WRAPPED),-Wl,--wrap=$(f) -Wl,--undefined=__wrap_$(f)) \
	-Wl,-Bstatic $(shell $(PKG_CONFIG) --libs libbpf) -Wl,-Bdynamic \
	$(shell $(PKG_CONFIG) --libs libelf zlib jansson libseccomp) $(LIBS_$(ARCH))

TOOLS    := $(patsubst user/%.c,%,$(wildcard user/*.c))
EXAMPLES := $(patsubst examples/%.bpf.c,%,$(wildcard examples/*.bpf.c))
LIB_OBJS := $(patsubst user/lib/%.c,$(O)/lib/%.o,$(wildcard user/lib/*.c))
LIB      := $(O)/libwirescope.a

# What is put into the processes of a command, beside the tools: its names are all that it shows,
# its own calls stay its own.
PRELOADS      := libwirescope-tls.so
PRELOAD_OBJS  := $(patsubst preload/%.c,$(O)/preload/%.o,$(wildcard preload/*.c))
PRELOAD_FLAGS := -fPIC -fvisibility=hidden
PRELOAD_LINK   = -shared -Wl,-soname,$(@F) -Wl,-Bsymbolic -Wl,-z,defs -Wl,-z,now -Wl,--as-needed

ifeq ($(V),1)
Q   :=
say = @:
else
Q   := @
say = @printf '  %-7s %s\n'
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all
all: $(addprefix $(BIN),$(TOOLS) $(PRELOADS))

include tests/tests.mk
include tests/fuzz/fuzz.mk
include tools/bench/bench.mk

# Names what is missing before the first compiler error would.
$(O)/.have-tools:
	$(Q)tools/deps build --missing
	$(Q)mkdir -p $(O) && touch $@

BUILD = mkdir -p $(@D) &&

# An object is part of its tool: what only a debugger or a linker wants is left out, which is a
# third of it (labels of blocks, types that occur twice).
define COMPILE_BPF
	$(say) BPF $@
	$(Q)$(BUILD) $(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.full
	$(Q)$(LLVM_STRIP) -g -w -N 'LBB*' $@.full
	$(Q)$(BPFTOOL) gen object $@ $@.full && rm -f $@.full
endef

$(O)/%.bpf.o: bpf/%.bpf.c | $(O)/.have-tools
	$(COMPILE_BPF)

$(O)/%.bpf.o: examples/%.bpf.c | $(O)/.have-tools
	$(COMPILE_BPF)

$(O)/%.skel.h: $(O)/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf > $@

$(O)/lib/%.o: user/lib/%.c | $(O)/.have-tools
	$(say) CC $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# The modules of the library with BPF programs of their own.
$(O)/lib/pidns.o $(O)/unit/lib/pidns.o: $(O)/pidns.skel.h
$(O)/lib/probe-set.o $(O)/unit/lib/probe-set.o: $(O)/probe-set.skel.h
$(O)/lib/offload-device.o $(O)/unit/lib/offload-device.o: $(O)/offload-device.skel.h

# Those that have programs of their own, and not only those of the library.
$(patsubst bpf/%.bpf.c,$(O)/%.o,$(wildcard $(TOOLS:%=bpf/%.bpf.c))): $(O)/%.o: $(O)/%.skel.h

$(O)/%.o: user/%.c | $(O)/.have-tools
	$(say) CC $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(O)/%.o: examples/%.c $(O)/%.skel.h
	$(say) CC $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(LIB): $(LIB_OBJS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# What a user copies to a server need not carry debug information: STRIP_DEBUG= keeps it.
STRIP_DEBUG ?= -Wl,--strip-debug

$(addprefix $(BIN),$(TOOLS)): $(BIN)%: $(O)/%.o $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS_ALL) $(STRIP_DEBUG) $(LDFLAGS) $^ $(LIBS) -o $@

$(addprefix $(O)/,$(EXAMPLES)): $(O)/%: $(O)/%.o $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(LIBS) -o $@

$(O)/preload/%.o: preload/%.c | $(O)/.have-tools
	$(say) CC $@
	$(Q)$(BUILD) $(CC) -D_GNU_SOURCE -Iinclude -Ipreload $(CPPFLAGS) $(CFLAGS_ALL) $(PRELOAD_FLAGS) \
		-MMD -MP -c $< -o $@

$(addprefix $(BIN),$(PRELOADS)): $(PRELOAD_OBJS)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS_ALL) $(STRIP_DEBUG) $(LDFLAGS) $(PRELOAD_LINK) $^ -pthread -ldl -o $@

.PHONY: deps demo check check-vm check-vm-wide lint bench install clean examples arm64
examples: $(addprefix $(O)/,$(EXAMPLES))

# Everything that a test in a guest needs, into $(O)/arm64, with clang and lld. The flags that
# follow the target are for linking only, and of no use where only compiling is done.
CLANG_FOR = $(CLANG) --target=$(1) --sysroot=$(2) -Wno-unused-command-line-argument \
	--ld-path=$(call find-tool,ld.lld)

arm64:
	$(Q)tools/deps arm64 --missing
	$(Q)sysroot=$$(tools/sysroot) && sysroot_32=$$(tools/sysroot armhf) && \
	PKG_CONFIG_SYSROOT_DIR=$$sysroot \
	PKG_CONFIG_LIBDIR=$$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig \
	$(MAKE) --no-print-directory O=$(O)/arm64 BIN=$(O)/arm64/ ARCH=arm64 SYSROOT=$$sysroot \
		CC='$(call CLANG_FOR,aarch64-linux-gnu,'$$sysroot')' \
		CC_32='$(call CLANG_FOR,arm-linux-gnueabihf,'$$sysroot_32')' \
		AR=$(call find-tool,llvm-ar) all examples workloads

deps:
	$(Q)tools/deps build

demo:
	$(Q)tools/deps demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)examples/demo

check:
	$(Q)tools/deps check
	$(Q)$(MAKE) --no-print-directory check-built WERROR=1

# The same on other kernels, in virtual machines; wide: on more of them, and on arm64.
check-vm:
	$(Q)tools/deps check
	$(Q)tools/deps vm
	$(Q)$(MAKE) --no-print-directory all examples workloads WERROR=1
	$(Q)tests/vm/run

check-vm-wide:
	$(Q)tools/deps check
	$(Q)tools/deps vm-wide
	$(Q)$(MAKE) --no-print-directory all examples workloads WERROR=1
	$(Q)$(MAKE) --no-print-directory arm64 || echo 'arm64 is not built'
	$(Q)tests/vm/run wide

lint:
	$(Q)tools/lint

bench: all
	$(Q)tools/deps check
	$(Q)$(MAKE) --no-print-directory $(BENCH_PROGRAMS)
	$(Q)tools/bench/run
	$(Q)tools/bench/io-latencies

install: all
	install -d $(DESTDIR)$(prefix)/bin
	install -m 0755 $(addprefix $(BIN),$(TOOLS)) $(DESTDIR)$(prefix)/bin
	install -d $(DESTDIR)$(prefix)/lib/wirescope
	install -m 0644 $(addprefix $(BIN),$(PRELOADS)) $(DESTDIR)$(prefix)/lib/wirescope

clean:
	rm -rf $(O) $(TOOLS) $(PRELOADS)

-include $(wildcard $(O)/*.d $(O)/*/*.d $(O)/unit/lib/*.d)
