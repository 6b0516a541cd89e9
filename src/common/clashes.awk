# clashes.awk - reads the parts of the install script and prints the statement
# that looks, before anything is created, for objects of the same names in the
# target schema.  Firms own schemas called crm: they get one list, not the first
# error of many.
#
# Understands what the parts are written in: statements begin at the start of a
# line, own objects are qualified with @extschema@, names need no quotes.

{
	sub(/--.*$/, "")
	text = text "\n" $0
}

# The type of one argument, or "" when it does not belong to the signature.
function type_of(argument,    upper)
{
	gsub(/[ \t\n]+/, " ", argument)
	sub(/^ /, "", argument)
	sub(/ $/, "", argument)
	sub(/ (DEFAULT|=) .*$/, "", argument)
	upper = toupper(argument)
	if (upper ~ /^OUT /)
		return ""
	sub(/^(IN|INOUT|VARIADIC) /, "", argument)
	if (argument !~ / / || argument ~ /^(double precision|character varying|timestamp with|time with|bit varying)/)
		return argument
	sub(/^[^ ]+ /, "", argument)
	return argument
}

# "(integer, text)" for the argument list that begins rest with "(".
function signature(rest,    i, depth, c, argument, type, out)
{
	depth = 0
	argument = ""
	out = ""
	for (i = 1; i <= length(rest); i++)
	{
		c = substr(rest, i, 1)
		if (c == "(" && depth++ == 0)
			continue
		if (c == ")")
			depth--
		if (depth == 0 || (c == "," && depth == 1))
		{
			type = type_of(argument)
			if (type != "")
				out = out (out == "" ? "" : ", ") type
			argument = ""
			if (depth == 0)
				break
		}
		else
			argument = argument c
	}
	return "(" out ")"
}

END {
	whole = text
	relations = ""
	functions = ""
	while (match(text, /\nCREATE (UNLOGGED )?(TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE|TYPE|DOMAIN|FUNCTION|PROCEDURE|AGGREGATE) @extschema@\.[a-z_0-9]+/))
	{
		head = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		name = head
		sub(/^.*@extschema@\./, "", name)
		if (head ~ / (FUNCTION|PROCEDURE|AGGREGATE) /)
		{
			# A signature with a type of ours can only be taken where the type is.
			arguments = signature(substr(text, 1, 4000))
			if (arguments !~ /@extschema@/)
				functions = functions (functions == "" ? "" : ",\n\t\t") "'" name arguments "'"
		}
		else if (!(name in seen))
		{
			seen[name] = 1
			relations = relations (relations == "" ? "" : ",\n\t\t") "'" name "'"
		}
	}

	# Indexes are named without their schema.
	rest = whole
	while (match(rest, /\nCREATE (UNIQUE )?INDEX [a-z_0-9]+ ON @extschema@/))
	{
		name = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		sub(/ ON @extschema@$/, "", name)
		sub(/^.* /, "", name)
		relations = relations (relations == "" ? "" : ",\n\t\t") "'" name "'"
	}

	print "-- Made by src/common/clashes.awk from the parts below."
	print "DO $clashes$"
	print "DECLARE"
	print "\tour_names pg_catalog.text[] := ARRAY["
	print "\t\t" relations
	print "\t]::pg_catalog.text[];"
	print "\tour_functions pg_catalog.text[] := ARRAY["
	print "\t\t" functions
	print "\t]::pg_catalog.text[];"
	print "\thome pg_catalog.regnamespace := '@extschema@';"
	print "\tone pg_catalog.text;"
	print "\tclashes pg_catalog.text[];"
	print "BEGIN"
	print "\tSELECT pg_catalog.array_agg(pg_catalog.concat(o.what, o.name) ORDER BY o.name) INTO clashes"
	print "\tFROM (SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence '"
	print "\t\t\tWHEN 'i' THEN 'index ' WHEN 'I' THEN 'index ' WHEN 'c' THEN 'type ' ELSE 'table ' END AS what, c.relname::pg_catalog.text AS name"
	print "\t\tFROM pg_catalog.pg_class c WHERE c.relnamespace OPERATOR(pg_catalog.=) home::pg_catalog.oid"
	print "\t\tUNION ALL"
	print "\t\tSELECT 'type ', t.typname::pg_catalog.text"
	print "\t\tFROM pg_catalog.pg_type t WHERE t.typnamespace OPERATOR(pg_catalog.=) home::pg_catalog.oid"
	print "\t\t\tAND t.typrelid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND t.typelem OPERATOR(pg_catalog.=) 0::pg_catalog.oid) o"
	print "\tWHERE o.name OPERATOR(pg_catalog.=) ANY (our_names);"
	print ""
	print "\tFOREACH one IN ARRAY our_functions"
	print "\tLOOP"
	print "\t\tIF pg_catalog.to_regprocedure(pg_catalog.concat('@extschema@.', one)) IS NOT NULL THEN"
	print "\t\t\tclashes := pg_catalog.array_append(clashes, pg_catalog.concat('function ', one));"
	print "\t\tEND IF;"
	print "\tEND LOOP;"
	print ""
	print "\tIF pg_catalog.cardinality(clashes) OPERATOR(pg_catalog.>) 0 THEN"
	print "\t\tRAISE EXCEPTION USING ERRCODE = 'duplicate_object',"
	print "\t\t\tMESSAGE = pg_catalog.format('schema %s already holds objects with names that crm_analytics creates', home),"
	print "\t\t\tDETAIL = pg_catalog.format('They are: %s.', pg_catalog.array_to_string(clashes, ', ')),"
	print "\t\t\tHINT = 'Install into a schema of its own: CREATE SCHEMA crm_analytics; CREATE EXTENSION crm_analytics SCHEMA crm_analytics;';"
	print "\tEND IF;"
	print "END"
	print "$clashes$;"
	print ""
}
