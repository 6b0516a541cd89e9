# ascii.awk - writes the install script in ASCII, in another spelling of the same.
#
# The server checks the bytes of a script against the database's encoding before
# it runs the first statement: in a database that is not UTF8, users would read
# of an invalid byte sequence and not what the extension needs.  So literals are
# written with \u escapes, and a statement with one is parsed only when it is
# reached, behind the check of the encoding: within a DO statement, unless it
# stands in the body of a function, which is parsed late anyway.
#
# A literal that is not ASCII begins and ends on one line; a statement begins at
# the start of a line and ends at the end of one.

BEGIN {
	for (i = 128; i < 256; i++)
		code[sprintf("%c", i)] = i
}

function escaped(text,    i, n, c, b, point, out)
{
	out = ""
	for (i = 1; i <= length(text); i++)
	{
		c = substr(text, i, 1)
		if (!(c in code))
		{
			out = out c
			continue
		}
		b = code[c]
		n = b >= 240 ? 3 : b >= 224 ? 2 : 1
		point = b >= 240 ? b - 240 : b >= 224 ? b - 224 : b - 192
		while (n-- > 0)
			point = point * 64 + code[substr(text, ++i, 1)] - 128
		out = out (point > 65535 ? sprintf("\\U%08X", point) : sprintf("\\u%04X", point))
	}
	return out
}

# With its backslashes twice; by hand, since programs called awk differ in what one means in gsub's replacement.
function doubled(text,    n, parts, i, out)
{
	n = split(text, parts, /\\/)
	out = parts[1]
	for (i = 2; i <= n; i++)
		out = out "\\\\" parts[i]
	return out
}

# Every other piece between single quotes is a literal; doubled quotes are put aside first.
function line_in_ascii(line,    n, pieces, i, out)
{
	gsub(/''/, "\001", line)
	n = split(line, pieces, "'")
	out = pieces[1]
	for (i = 2; i <= n; i++)
	{
		if (i % 2 == 0 && pieces[i] ~ /[\200-\377]/)
		{
			if (out !~ /[^a-zA-Z_0-9]E$/)
			{
				pieces[i] = doubled(pieces[i])
				out = out "E"
			}
			pieces[i] = escaped(pieces[i])
		}
		out = out "'" pieces[i]
	}
	gsub(/\001/, "''", out)
	return out
}

/[\200-\377]/ {
	if ($0 ~ /^[ \t]*--/)
		gsub(/[\200-\377]+/, "?")
	else
		$0 = line_in_ascii($0)
	if ($0 ~ /[\200-\377]/)
	{
		print "ascii.awk: cannot write this in ASCII: " $0 > "/dev/stderr"
		exit 1
	}
	changed = 1
}

# What names a character by its number is converted just as early.
/[^a-zA-Z_0-9](U&'|E'[^']*\\[uU])/ {
	changed = 1
}

# The body of a function or DO statement, up to its closing tag.
body != "" {
	print
	if (index($0, body))
		body = ""
	changed = 0
	next
}

# A statement is held back until its end is known.
held == "" && !/^[A-Z]/ {
	print
	changed = 0
	next
}

{
	held = held $0 "\n"
	if (/BEGIN ATOMIC/)
		atomic = 1
	if (match($0, /\$[a-z_]*\$/) && !index(substr($0, RSTART + RLENGTH), substr($0, RSTART, RLENGTH)))
	{
		body = substr($0, RSTART, RLENGTH)
		printf "%s", held
	}
	else if (atomic ? /^[ \t]*END;[ \t]*$/ : /;[ \t]*$/)
		printf "%s", changed ? "DO $ascii$BEGIN\n" held "END$ascii$;\n" : held
	else
		next
	held = ""
	atomic = 0
	changed = 0
}
