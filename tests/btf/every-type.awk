# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Reads vmlinux.h after the preprocessor (clang -E) and prints a program with a variable of each
# type that the header itself defines, so that all of them are in the object's BTF.
BEGIN { print "#include \"vmlinux.h\"" }

# What another header defines is not ours.
/^# [0-9]+ "/ {
	ours = $3 ~ /["\/]vmlinux\.h"$/
	next
}
!ours { next }

# The tree's format has definitions in the first column.
{ gsub(/__attribute__\(\(btf_decl_tag\([^)]*\)\)\)/, "") }
/^(struct|union|enum)[ \t].*{/ {
	name = $0
	sub(/[ \t]*{.*/, "", name)
	# Constants without a type, as true and false.
	if (name != "enum")
		add(name)
}
/^typedef (struct|union|enum)[^;]*{/ { in_typedef = 1 }
in_typedef && /^(typedef.*)?}/ {
	name = $0
	gsub(/^.*}|;.*|[ \t]/, "", name)
	add(name)
	in_typedef = 0
}

function add(name)
{
	print name " variable_" ++types ";"
}

END {
	if (!types) {
		print "every-type.awk: vmlinux.h defines no type" >"/dev/stderr"
		exit 1
	}
}
