#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The formats as others read them: promtool, and the strict parser of Prometheus' client for Python. And that
# docs/telemetry.md, the alerts and the dashboard name the metrics there are. Then the socket of --telemetry.
. "$(dirname "$0")/../examples/lib.sh"
docs=$here/../../docs
python=/usr/bin/python3
for tool in promtool $python curl; do
    command -v $tool >/dev/null || exit 77
done

start http_server --workers 2 --telemetry 127.0.0.1:0
telemetry=$(sed -n 's/^telemetry on //p' "$tmp/out")
for path in / /count /sleep; do
    for _ in 1 2 3 4 5; do curl -s -m 10 -o /dev/null "$url$path"; done
done

# fetch <file> <path> <curl options>...
fetch() {
    file=$1 path=$2
    shift 2
    same "status of $path" "$(curl -s -m 10 -o "$tmp/$file" -w '%{http_code}' "$@" "http://$telemetry$path")" 200
}
fetch metrics /metrics
fetch openmetrics /metrics -H 'Accept: application/openmetrics-text;version=1.0.0'
fetch tasks /tasks
fetch tasks.json /tasks.json
fetch verdicts.json /verdicts

promtool check metrics <"$tmp/metrics" >"$tmp/lint" 2>&1 || failed "promtool: $(cat "$tmp/lint")"
[ ! -s "$tmp/lint" ] || failed "promtool: $(cat "$tmp/lint")"
$python "$here/openmetrics.py" "$tmp/openmetrics" >"$tmp/families" 2>"$tmp/parser" ||
    failed "OpenMetrics: $(cat "$tmp/parser")"
contains 'tasks' '"acceptor", spawned at ' "$(cat "$tmp/tasks")"
same 'an acceptor' "$(json "$tmp/tasks.json" tasks 0 name)" acceptor
same 'futurelocks' "$(json "$tmp/verdicts.json" counts futurelock active)" 0

# The page has the same metrics, of the same kinds and units, as the endpoint.
sed -n 's/^| `\(vigil_[a-z_]*\)` | \([a-z]*\) | \([a-z-]*\) |.*/\1 \2 \3/p' "$docs/telemetry.md" | sort >"$tmp/page"
sort -o "$tmp/families" "$tmp/families"
[ -s "$tmp/page" ] || failed 'no metrics in docs/telemetry.md'
diff "$tmp/page" "$tmp/families" || failed 'docs/telemetry.md (<) and /metrics (>) differ'
sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$tmp/metrics" | sort >"$tmp/names"
cut -d ' ' -f 1 "$tmp/page" | diff - "$tmp/names" || failed 'the two formats have different metrics'

# Alerts: those of the page are those of the file, and all of their metrics exist.
promtool check rules "$docs/alerts.yml" >"$tmp/rules" 2>&1 || failed "promtool: $(cat "$tmp/rules")"
sed -n 's/^ *- alert: //p' "$docs/alerts.yml" | sort >"$tmp/alerts"
sed -n 's/^| `vigil_.*| \(Vigil[A-Za-z]*\) |$/\1/p' "$docs/telemetry.md" | sort >"$tmp/page_alerts"
diff "$tmp/page_alerts" "$tmp/alerts" || failed 'the alerts of docs/telemetry.md (<) and docs/alerts.yml (>) differ'
for file in alerts.yml grafana.json telemetry.md; do
    # Names as queries use them: a histogram's parts stand for it.
    grep -o '\bvigil_[a-z_]*[a-z]\b' "$docs/$file" | grep -v '^vigil_future_wake_pending$' |
        sed 's/_\(bucket\|count\|sum\)$//' | sort -u | comm -23 - "$tmp/names" >"$tmp/unknown"
    [ ! -s "$tmp/unknown" ] || failed "$file names what is not there: $(cat "$tmp/unknown")"
done

stop
same 'exit code' $code 0

# The same on a Unix socket, which goes with the server.
start http_server --workers 1 --telemetry "unix:$tmp/socket"
contains 'the printed address' "^telemetry on unix:$tmp/socket\$" "$(cat "$tmp/out")"
same 'mode of the socket' "$(stat -c %a "$tmp/socket")" 600
contains 'an index' '/metrics' "$(curl -s -m 10 --unix-socket "$tmp/socket" http://localhost/)"
stop
same 'exit code' $code 0
[ ! -e "$tmp/socket" ] || failed 'the socket is left behind'
finish
