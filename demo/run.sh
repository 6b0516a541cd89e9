#!/usr/bin/env bash
#
# demo/run.sh run|psql|stop - the demonstration on a throwaway server.
#
#   run    makes the bank, shows what the extension does with it, writes its report, stops the server
#   psql   the same bank on a server that stays up until "stop", and psql on it
#
# CUSTOMERS says how many customers the bank has, in thousands' steps.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/server.sh
. "$here/../test/server.sh"

export PGCLIENTENCODING=UTF8 PAGER=cat
customers=${CUSTOMERS:-100000}
[[ $customers =~ ^[1-9][0-9]*000$ ]] || crm_die "CUSTOMERS must be a multiple of 1000, not \"$customers\""

run_sql()
{
	psql -X -q -v ON_ERROR_STOP=1 -v customers="$customers" -f "$here/$1"
}

make_bank()
{
	echo "Building the extension and starting a throwaway server"
	crm_server_start
	echo "Making a bank with $customers customers"
	run_sql data.sql
}

# The report of the bank, and the page of one customer, as files for a browser; with charts where their library can be had.
write_pages()
{
	local out=$CRM_BUILD/demo lang
	local wishes="{\"funnel\": {\"steps\": [\"loan calculator\", \"loan application\", \"loan signed\", \"loan paid out\"], \"within\": \"14 days\"}}"

	mkdir -p "$out"
	if "$here/../test/report_assets.sh" >"$out/report_assets.log" 2>&1; then
		psql -X -q -v ON_ERROR_STOP=1 -f "$CRM_BUILD/report/report_assets.sql" >/dev/null
	else
		echo "Without charts, but for their tables: $(tail -n 1 "$out/report_assets.log")"
	fi
	for lang in en zh; do
		psql -X -q -At -v ON_ERROR_STOP=1 -v lang="$lang" -v wishes="$wishes" -o "$out/report-$lang.html" <<<"SELECT crm.report('bank', :'lang', :'wishes');"
		psql -X -q -At -v ON_ERROR_STOP=1 -v lang="$lang" -o "$out/customer-$lang.html" \
			<<<"SELECT crm.customer_page(min(m), 'bank', :'lang', '{\"recommend\": {\"model\": \"what next\", \"event\": \"order\", \"attribute\": \"product\"}}') FROM crm.members(crm.tag('win back', population => 'bank')) AS m;"
	done
	echo
	echo "The bank's report, for a browser: $out/report-en.html"
	echo "  in Chinese (中文):              $out/report-zh.html"
	echo "The page of one customer:         $out/customer-en.html, $out/customer-zh.html"
	echo
}

case ${1:-run} in
	run)
		make_bank
		run_sql demo.sql
		write_pages
		echo "The server is gone again.  \"make demo-psql\" keeps one and opens psql on it."
		;;
	psql)
		if ! crm_server_attach demo; then
			crm_server_forget demo
			make_bank
			run_sql demo.sql
			write_pages
			crm_server_keep demo
		fi
		echo "Schema bank has the data, crm the extension.  \"make demo-stop\" ends the server."
		exec psql -X
		;;
	stop)
		crm_server_forget demo
		;;
	*)
		sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
esac
