# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The programs of the benchmark. Included by the Makefile.

comma := ,
BENCH_PROGRAMS := $(addprefix $(O)/bench/,load empty start-time)

$(O)/bench/%.bpf.o: tools/bench/%.bpf.c | $(O)/.have-tools
	$(COMPILE_BPF)

$(O)/bench/%.skel.h: $(O)/bench/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(O)/bench/empty: $(O)/bench/empty.skel.h

# The tools' libraries, without the functions that they put in the place of libbpf's and others.
$(O)/bench/%: tools/bench/%.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d $< $(LDFLAGS) \
		$(filter-out -Wl$(comma)--wrap=% -Wl$(comma)--undefined=%,$(LIBS)) -o $@
