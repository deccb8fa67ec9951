# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The programs of the benchmark. Included by the Makefile.

comma := ,
BENCH_PROGRAMS := $(addprefix $(O)/bench/,load empty start-time \
	$(if $(call have-module,openssl),tls-load))

$(O)/bench/%.bpf.o: tools/bench/%.bpf.c | $(O)/.have-tools
	$(COMPILE_BPF)

$(O)/bench/%.skel.h: $(O)/bench/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(O)/bench/empty: $(O)/bench/empty.skel.h

$(O)/bench/tls-load: tools/bench/tls-load.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d $< -lssl -lcrypto -o $@

# The tools' libraries, without the functions that they put in the place of libbpf's and others.
$(O)/bench/%: tools/bench/%.c
	$(say) LINK $@
	$(Q)$(BUILD) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d $< $(LDFLAGS) \
		$(filter-out -Wl$(comma)--wrap=% -Wl$(comma)--undefined=%,$(LIBS)) -o $@

# A quarter of an hour, and not a part of "make bench".
.PHONY: bench-nginx
bench-nginx: all
	$(Q)tools/deps check
	$(Q)$(MAKE) --no-print-directory $(BENCH_PROGRAMS)
	$(Q)tools/bench/nginx --plot $(O)/bench/nginx.svg
	$(Q)tools/bench/nginx --events
