#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A real Prometheus scrapes a server under load. It must be able to say how long children wait, load the alerts, and
# answer every query of the dashboard.
. "$(dirname "$0")/../examples/lib.sh"
docs=$here/../../docs
python=/usr/bin/python3
for tool in prometheus promtool wrk curl $python; do
    command -v $tool >/dev/null || exit 77
done

start http_server --workers 2 --telemetry 127.0.0.1:0
telemetry=$(sed -n 's/^telemetry on //p' "$tmp/out")
wrk -t1 -c20 -d120s "$url/count" >"$tmp/wrk" 2>&1 &
others="$others $!"

cat >"$tmp/prometheus.yml" <<END
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yml]
scrape_configs:
  - job_name: vigil
    static_configs: [{targets: ['$telemetry']}]
END
cp "$docs/alerts.yml" "$tmp/"
promtool check config "$tmp/prometheus.yml" >"$tmp/config" 2>&1 || failed "$(cat "$tmp/config")"

# A free port, which may be taken in between: three tries.
prometheus=
for _ in 1 2 3; do
    web=127.0.0.1:$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/data" \
        --web.listen-address="$web" >"$tmp/prometheus.log" 2>&1 &
    prometheus=$!
    others="$others $prometheus"
    tries=300
    until curl -sf -m 5 -o /dev/null "http://$web/-/ready"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] && kill -0 $prometheus 2>/dev/null || break
        sleep 0.1
    done
    [ $tries -gt 0 ] && kill -0 $prometheus 2>/dev/null && break
    prometheus=
done
if [ -z "$prometheus" ]; then
    failed "prometheus does not start: $(tail -n 5 "$tmp/prometheus.log")"
    finish
fi

# query <expression>: its result as "status value..."
query() {
    curl -s -m 10 --data-urlencode "query=$1" "http://$web/api/v1/query" | $python -c '
import json, sys
answer = json.load(sys.stdin)
print(answer["status"], answer.get("error", ""),
      *[s["value"][1] for s in answer.get("data", {}).get("result", []) if isinstance(s, dict)])'
}

# number <what> <expression>: waits until the answer is a number; NaN is none.
number() {
    tries=300
    until answer=$(query "$2"); echo "$answer" | grep -Eq '^success +[0-9.]+(e[-+]?[0-9]+)?( |$)'; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ]; then
            failed "$1: '$answer' for $2"
            return
        fi
        sleep 0.2
    done
    echo "$1: $(echo "$answer" | sed 's/^success *//')"
}

number 'up' 'up == 1'
number 'children, p99' 'histogram_quantile(0.99, sum by (le) (rate(vigil_schedule_duration_seconds_bucket{node="child"}[30s])))'
number "children, p99, parents' share" \
    'histogram_quantile(0.99, sum by (le) (rate(vigil_schedule_duration_seconds_bucket{node="child",segment="parent"}[30s])))'
number 'children, p99, by site' \
    'histogram_quantile(0.99, sum by (site, le) (rate(vigil_site_schedule_duration_seconds_bucket{node="child",segment="runtime"}[30s]))) > 0'
number 'children per second' 'sum(rate(vigil_schedule_duration_seconds_count{node="child"}[30s])) > 0'
number 'busy' 'sum(rate(vigil_worker_time_seconds_total{state="run"}[30s])) > 0'
number 'operations' 'sum(rate(vigil_uring_completions_total[30s])) > 0'
number 'an OpenMetrics info' 'vigil_build_info'

# What the alerts say. Nothing is wrong with the server.
curl -s -m 10 "http://$web/api/v1/rules" >"$tmp/rules.json"
$python - "$tmp/rules.json" <<'END' || failed 'rules'
import json, sys
rules = [r for g in json.load(open(sys.argv[1]))["data"]["groups"] for r in g["rules"]]
bad = [r["name"] for r in rules if r["health"] == "err"]
critical = [r["name"] for r in rules if r["state"] == "firing" and r["labels"].get("severity") == "critical"]
print(len(rules), "rules")
sys.exit(f"broken: {bad}, firing: {critical}" if bad or critical or not rules else 0)
END

# Every query of the dashboard is one, with what Grafana would put in.
$python - "$docs/grafana.json" >"$tmp/queries" <<'END'
import json, sys
for panel in json.load(open(sys.argv[1]))["panels"]:
    for target in panel.get("targets", []):
        print(target["expr"].replace("$job", ".*").replace("$instance", ".*"))
END
[ "$(wc -l <"$tmp/queries")" -gt 20 ] || failed 'the dashboard has no queries'
while read -r expression; do
    answer=$(query "$expression")
    case $answer in success*) ;; *) failed "$answer: $expression" ;; esac
    # Rates of what happens all the time have values; others may have none.
    case $answer in *[0-9]*) ;; *) echo "no value: $expression" ;; esac
done <"$tmp/queries"

kill $prometheus
wait $prometheus || true
stop
same 'exit code' $code 0
finish
