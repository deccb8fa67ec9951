# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests need, and how they run. Included by the Makefile.

include tests/btf/btf.mk

UNIT_TESTS := $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/test_*.c))
HAVE_SDT   := $(shell echo '\#include <sys/sdt.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
# Those that need a TLS library; a system that we only build for has none.
have-module = $(if $(SYSROOT),,$(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes))
NO_LIBRARY := $(if $(call have-module,openssl),,tls-openssl tls-handshakes tls-reuse) \
	$(if $(call have-module,gnutls),,tls-gnutls) $(if $(call have-module,nss),,tls-nss)
HAVE_LIBSSL_A := $(if $(call have-module,openssl),$(wildcard $(shell $(CC) -print-file-name=libssl.a)))
WORKLOADS  := $(filter-out probed-lib $(NO_LIBRARY) $(if $(HAVE_SDT),,usdt-app s2n-app),\
	$(patsubst tests/workload/%.c,%,$(wildcard tests/workload/*.c))) \
	$(if $(HAVE_SDT),s2n-app-reassembler libprobed.so)
# 32-bit callers: only where the compiler and a C library can build them.
CC_32      ?= $(CC) -m32
HAVE_M32   := $(shell echo 'int main(void){return 0;}' | \
	$(CC_32) -x c - -o /dev/null -lc 2>/dev/null && echo yes)
WORKLOADS_32 := $(if $(HAVE_M32),udp-load-32 syscall-load-32 syscall-odd-32 all-syscalls-32 edge-32 \
	offload-load-32 offload-edge-32)
# Without the calls of a dynamic loader; and the numbers of system calls, for tests in guests,
# which have no compiler.
HAVE_STATIC := $(shell echo 'int main(void){return 0;}' | \
	$(CC) -static -x c - -o /dev/null 2>/dev/null && echo yes)
WORKLOADS   += syscall-numbers $(if $(HAVE_STATIC),static/syscall-load) \
	$(if $(HAVE_LIBSSL_A),tls-openssl-static)
WORKLOADS_32 += $(if $(HAVE_M32),syscall-numbers-32 $(if $(HAVE_STATIC),static/syscall-load-32))
TEST_FILES := $(UNIT_TESTS) tests/fuzz/corpus.sh $(sort $(wildcard tests/tool/*.bats tests/tool/*.sh \
	tests/parity/*.bats tests/parity/*.sh)) $(BTF_TESTS)
SANITIZE   := -fsanitize=address,undefined -fno-sanitize-recover=all
LIB_OBJS_SANITIZED := $(patsubst $(O)/lib/%,$(O)/unit/lib/%,$(LIB_OBJS))

$(O)/unit/lib/%.o: user/lib/%.c | $(O)/.have-tools
	$(say) CC $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

$(O)/unit/libwirescope.a: $(LIB_OBJS_SANITIZED)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/unit/%: tests/unit/%.c $(O)/unit/libwirescope.a
	$(say) LINK $@
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -MF $@.d $< $(filter %.a,$^) $(LIBS) \
		-lcmocka -o $@

$(O)/unit/test_render: $(O)/udp-syscall.skel.h

# The probes of usdt-app and the times of the others must not be optimised by taste: -O2.
# For another machine without its libraries: a guest has those of one machine only.
$(O)/workload/%-32: tests/workload/%.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC_32) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(if $(SYSROOT),-static) -MMD -MP \
		-MF $@.d $< -pthread -o $@

$(O)/workload/static/syscall-load: tests/workload/syscall-load.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -static -MMD -MP -MF $@.d $< -pthread -o $@

$(O)/workload/static/syscall-load-32: tests/workload/syscall-load.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC_32) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -static -MMD -MP -MF $@.d $< -pthread -o $@

NUMBERS = echo '\#include <sys/syscall.h>' | $(1) -E -dM -x c - | \
	sed -n 's/^\#define __NR_\([a-z_0-9]*\) (*\(__NR_SYSCALL_BASE *+ *\)*\([0-9]*\))*$$/\1 \3/p' > $@

$(O)/workload/syscall-numbers:
	$(say) GEN $@
	$(Q)$(BUILD) $(call NUMBERS,$(CC))

$(O)/workload/syscall-numbers-32:
	$(say) GEN $@
	$(Q)$(BUILD) $(call NUMBERS,$(CC_32))

$(addprefix $(O)/workload/,syscall-set resolve placements): $(O)/workload/%: tests/workload/%.c $(LIB)
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d $< $(filter %.a,$^) $(LIBS) -o $@

$(O)/workload/s2n-app-reassembler: tests/workload/s2n-app.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -DBUFFER=reassembler -MMD -MP -MF $@.d $< \
		-pthread -o $@

# Of two parts, which differ in nothing but their number.
$(O)/workload/libprobed.so: tests/workload/probed-lib.c
	$(say) LINK $@
	$(Q)$(BUILD) for part in 1 2; do \
		$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Wno-attributes -fPIC -DPART=$$part -MMD -MP \
			-MT $@ -MF $@.d -c $< -o $@.$$part.o || exit; done
	$(Q)$(CC) $(CFLAGS_ALL) -shared $@.1.o $@.2.o -o $@ && rm -f $@.1.o $@.2.o

# OpenSSL in the program itself.
$(O)/workload/tls-openssl-static: tests/workload/tls-openssl.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d $< -pthread \
		-Wl,-Bstatic -lssl -lcrypto -Wl,-Bdynamic -ldl -o $@

$(addprefix $(O)/workload/,tls-openssl tls-handshakes tls-reuse): MODULES := openssl
$(O)/workload/tls-gnutls: MODULES := gnutls
$(O)/workload/tls-nss: MODULES := nss

$(O)/workload/%: tests/workload/%.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d $< -pthread -o $@ \
		$(if $(MODULES),$(shell $(PKG_CONFIG) --cflags --libs $(MODULES)))

.PHONY: workloads check-programs check-built
workloads: $(addprefix $(O)/workload/,$(WORKLOADS) $(WORKLOADS_32))

check-programs: all examples $(UNIT_TESTS) workloads fuzz-programs check-btf-programs

check-built: check-programs
	$(Q)tools/lint
	$(Q)tests/run $(TEST_FILES)
