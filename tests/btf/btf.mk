# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# vmlinux.h and our objects against the BTF of kernels. Included by tests.mk.

BTF_CHECK   := $(O)/btf/check
BTF_ARCHES  := x86 arm64
BTF_HEADERS := $(patsubst %,$(O)/btf/vmlinux-%.bpf.o,$(BTF_ARCHES))
BPF_OBJS    := $(patsubst %.c,$(O)/%.o,$(notdir $(wildcard bpf/*.bpf.c examples/*.bpf.c)))
BTF_TESTS   := $(sort $(wildcard tests/btf/*.bats)) tests/btf/check-btf.sh

# The header as a compiler for this machine sees it, once for each machine that it knows.
BTF_CFLAGS = $(patsubst -D__TARGET_ARCH_%,-D__TARGET_ARCH_$*,$(BPF_CFLAGS)) -DCHECK_BTF

$(O)/btf/vmlinux-%.bpf.c: vmlinux/vmlinux.h tests/btf/every-type.awk | $(O)/.have-tools
	$(say) GEN $@
	$(Q)$(BUILD) $(CLANG) $(BTF_CFLAGS) -E $< -o $@.i
	$(Q)awk -f tests/btf/every-type.awk $@.i > $@

$(O)/btf/vmlinux-%.bpf.o: $(O)/btf/vmlinux-%.bpf.c vmlinux/vmlinux.h
	$(say) BPF $@
	$(Q)$(CLANG) $(BTF_CFLAGS) -c $< -o $@

BTF_CHECK_OBJS := $(patsubst tests/btf/%.c,$(O)/btf/%.o,$(wildcard tests/btf/*.c))
BTF_LIBS := -Wl,-Bstatic $(shell $(PKG_CONFIG) --libs libbpf) -Wl,-Bdynamic \
	$(shell $(PKG_CONFIG) --libs libelf zlib)

$(O)/btf/%.o: tests/btf/%.c | $(O)/.have-tools
	$(say) CC $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(BTF_CHECK): $(BTF_CHECK_OBJS) $(O)/lib/log.o $(O)/lib/escape.o
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(BTF_LIBS) -o $@

# The BTF of a kernel by its name in tools/vm-kernel, or of the running one ("running"): made
# anew each time, as another kernel may have taken the name. NAME.min.btf has only what our
# programs need.
.PHONY: check-btf check-btf-programs FORCE
$(O)/btf/%.min.btf: $(O)/btf/%.btf $(BPF_OBJS)
	$(say) BTF $@
	$(Q)$(BPFTOOL) gen min_core_btf $< $@ $(BPF_OBJS)

$(O)/btf/running.btf: FORCE
	$(say) BTF $@
	$(Q)$(BUILD) cat /sys/kernel/btf/vmlinux > $@

$(O)/btf/%.btf: FORCE
	$(say) BTF $@
	$(Q)$(BUILD) kernel=$$(tools/vm-kernel path $*) && tools/kernel-btf $$kernel $@

check-btf-programs: $(BTF_CHECK) $(BTF_HEADERS) $(BPF_OBJS)

check-btf: check-btf-programs
	$(Q)tests/run tests/btf/check-btf.sh
