# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Where probes of functions are placed: judged by another reading of the code, and by counts.
load common
load probehist

setup() {
	begin_as_root
	[ "$(uname -m)" = x86_64 ] || skip 'only code of x86-64 is looked at'
}

teardown() {
	end_started
}

path_of() {
	PATH="$PATH:/usr/sbin:/sbin" ldconfig -p |
		awk -v name="$1" '$1 == name && /x86-64/ { print $NF; exit }'
}

judge() {
	"$BATS_TEST_DIRNAME/placement-reference" "$@"
}

number_of() {
	sed -n "s/^functions.* $1 \([0-9]*\).*/\1/p" judgement
}

@test "each place in libssl, libgnutls, libc and libcrypto is right by objdump's text" {
	need objdump perl ldconfig
	local judged=0 name file
	for name in libssl.so.3 libgnutls.so.30 libc.so.6 libcrypto.so.3; do
		file=$(path_of "$name")
		[ -n "$file" ] || continue
		"$workload/placements" "$file" >places
		judge "$file" <places >judgement || { cat judgement && return 1; }
		echo "# $name: $(tail -1 judgement)" >&3
		[ "$(number_of moved)" -gt 0 ]
		[ "$(number_of ends)" -gt 0 ]
		judged=$((judged + 1))
	done
	[ "$judged" -gt 0 ] || skip 'no such library is installed'
}

# What the first function becomes for which a rule of awk holds, must be a mismatch.
is_refused() {
	awk "!done && $1 { $2; done = 1; print }" places >changed
	[ -s changed ]
	run judge "$file" <changed
	[ "$status" -eq 1 ]
	[[ "$output" == *"mismatches 1"* ]]
}

@test "the judge of places refuses wrong ones" {
	need objdump perl ldconfig
	file=$(path_of libc.so.6)
	"$workload/placements" "$file" 3f >places
	moved='$5 != "0" && $6 == "emulated"'
	ends='$8 == "emulated" && $9 != "#"'
	is_refused "$moved" '$5 = $5 "0"'                # another place
	is_refused "$moved && /push, instruction 2/" '$5 = "0"' # of endbr64, xor, test
	is_refused "$ends && \$10 == \"#\"" '$9 = "1"'   # inside of an instruction, or before the end
	is_refused '$8 == "stepped" && $9 != "#" && $10 != "#"' '$9 = $10' # one place less
	is_refused '$6 == "stepped" && $9 == "#"' '$6 = "emulated"' # what is stepped
}

functions='OPENSSL_sk_value OPENSSL_sk_num CRYPTO_THREAD_unlock CRYPTO_THREAD_read_lock
	OSSL_PARAM_locate OPENSSL_LH_retrieve CRYPTO_strndup BN_CTX_end OPENSSL_LH_strhash
	OSSL_PARAM_set_uint64 BN_mod_word OPENSSL_strlcpy BIO_snprintf EVP_CipherInit_ex
	OSSL_PARAM_set_int32 ASN1_object_size BN_is_odd BN_is_bit_set BN_cmp OPENSSL_sk_sort
	BIO_ctrl'

# A latency needs the stack pointer as it is at the begin: its probes are plain.
@test "at its places a function is counted as at its begin, and as by a return probe" {
	need openssl ldconfig
	lib=$(path_of libcrypto.so.3)
	[ -n "$lib" ] || skip 'no libcrypto.so.3'
	local specs=() name moved=0
	for name in $functions; do
		specs+=("e_$name=uprobe:$lib:$name:arg1" "r_$name=uretprobe:$lib:$name:ret"
			"p_$name=lat:uprobe:$lib:$name")
	done
	probehist -v -o report -c 'openssl req -x509 -newkey rsa:1024 -nodes -keyout k -out c -subj /CN=x' \
		"${specs[@]}" >stdout 2>stderr </dev/null
	truth_of_report <report | awk '
		{
			kind = substr($2, 1, 1)
			seen[substr($2, 3)]
			n[kind, substr($2, 3)] += $NF
		}
		END {
			for (name in seen)
				print name, n["e", name], n["r", name], n["p", name]
		}' >counts
	cat counts
	[ "$(wc -l <counts)" -eq 21 ]
	awk '$2 != $4 || $3 != $4 || $4 == 0 { bad = 1 } END { exit bad }' counts
	# Both kinds were moved.
	grep -Eq 'BN_[a-z_]*\+0x[0-9a-f]+ of .*: (jcc|push|call|jmp|nop), instruction' stderr
	grep -Eq ' of .*: at [0-9]+ ends?: ' stderr
}

@test "-v tells the place, +OFFSET stays, --doctor tells what probes cost" {
	need ldconfig
	lib=$(path_of libc.so.6)
	"$workload/placements" "$lib" 1 >places
	read -r _ _ _ _ at _ _ _ ends < <(grep ' # puts # ' places)
	probehist -v -c true "uprobe:$lib:puts:arg0" 2>stderr >stdout
	[ "$at" = 0 ] && want='puts+0 of' || want="puts+0x$at of"
	grep -Fq "$want '$lib'" stderr
	# A function that has its first emulated instruction elsewhere.
	read -r _ _ _ _ at _ < <(awk '$5 != "0" && / # free # /' places)
	[ -n "$at" ] || skip 'free() begins with an emulated instruction'
	probehist -v -c true "uprobe:$lib:free:arg0" "there=uprobe:$lib:free+0x$at:arg0" 2>stderr >stdout
	[ "$(grep -c "free+0x$at of '$lib'" stderr)" -eq 2 ]
	grep -q "free+0x$at of '$lib' at 0x[0-9a-f]*\$" stderr
	probehist --doctor | grep -Eq 'what probes of functions cost|probes of functions cost [0-9]+ ns'
}

# bats test_tags=vm
@test "functions that call themselves: each call and each return is counted, at all places" {
	needs_cookies
	[ -e "$lib" ] || skip 'no <sys/sdt.h>'
	hist -v -c "$app -n 400 $lib" "e=uprobe:$lib:probed_deep:arg0" \
		"r=uretprobe:$lib:probed_deep:ret" "n=count:uprobe:$lib:probed_deep" \
		"p=lat:uprobe:$lib:probed_deep" "own=uprobe:$app:own_work:arg0" \
		"own_r=uretprobe:$app:own_work:ret"
	grep probed_deep stderr
	grep -qx "@n: 1000" report
	[ "$(values_of p)" -eq 1000 ]
	{
		for depth in 0 1 2 3; do
			seq "$((depth))" 4 399 | awk '{ for (n = $1 % 4; n >= 0; n--) print n }'
		done >depths
		rows e <depths
		awk '{ print $1 + 1 }' depths | rows r
		seq 0 399 | sed 's/^/-/; s/-0$/0/' | rows own
		seq 0 399 | awk '{ print -2 * $1 }' | rows own_r
	} >expected
	truth_of_report <report | awk '$2 ~ /^(e|r|own|own_r)$/' >seen
	same_lines expected seen
}
