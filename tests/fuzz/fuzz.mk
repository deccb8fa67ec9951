# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Fuzz targets, with clang's libFuzzer. Included by the Makefile.
#   make fuzz       all targets, FUZZ_SECONDS (60) each
#   make fuzz-NAME  one of them
# make check runs the kept inputs of tests/fuzz/corpus only (tests/fuzz/corpus.sh).

FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
HAVE_FUZZER  := $(wildcard $(shell $(CLANG) -print-resource-dir 2>/dev/null)/lib/*/libclang_rt.fuzzer*)
FUZZ_PROGRAMS := $(if $(HAVE_FUZZER),$(addprefix $(O)/fuzz/,$(FUZZ_TARGETS)))
FUZZ_FLAGS   := -O1 -g -fno-omit-frame-pointer $(SANITIZE)
FUZZ_LIB_OBJS := $(patsubst $(O)/lib/%,$(O)/fuzz/lib/%,$(LIB_OBJS))

$(O)/fuzz/lib/%.o: user/lib/%.c | $(O)/.have-tools
	$(say) CC $@
	$(Q)$(BUILD) $(CLANG) $(CPPFLAGS_ALL) -std=gnu11 $(WARN) $(FUZZ_FLAGS) \
		-fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(O)/fuzz/libwirescope.a: $(FUZZ_LIB_OBJS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/fuzz/lib/pidns.o: $(O)/pidns.skel.h
$(O)/fuzz/lib/probe-set.o: $(O)/probe-set.skel.h

$(O)/fuzz/fuzz.o: tests/fuzz/fuzz.c | $(O)/.have-tools
	$(say) CC $@
	$(Q)$(BUILD) $(CLANG) $(CPPFLAGS_ALL) -std=gnu11 $(WARN) $(FUZZ_FLAGS) -MMD -MP -c $< -o $@

$(O)/fuzz/%: tests/fuzz/fuzz_%.c $(O)/fuzz/fuzz.o $(O)/fuzz/libwirescope.a \
		$(patsubst bpf/%.bpf.c,$(O)/%.skel.h,$(wildcard bpf/*.bpf.c))
	$(say) LINK $@
	$(Q)$(CLANG) $(CPPFLAGS_ALL) -Itests/fuzz -std=gnu11 $(WARN) $(FUZZ_FLAGS) \
		-fsanitize=fuzzer -Wl,--wrap=write -MMD -MP -MF $@.d $< $(filter %.o %.a,$^) $(LIBS) -o $@

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

fuzz:
	$(Q)tools/deps check
	$(Q)$(MAKE) --no-print-directory fuzz-programs
	$(Q)tests/fuzz/run $(FUZZ_TARGETS)

$(addprefix fuzz-,$(FUZZ_TARGETS)): fuzz-%:
	$(Q)tools/deps check
	$(Q)$(MAKE) --no-print-directory $(O)/fuzz/$*
	$(Q)tests/fuzz/run $*

-include $(wildcard $(O)/fuzz/*.d $(O)/fuzz/lib/*.d)
