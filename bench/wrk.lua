-- SPDX-License-Identifier: MIT
-- For wrk -s: at the end, its figures as one line of JSON on stderr. Latencies in microseconds.

local function quantile(latency, p)
    return string.format("%d", latency:percentile(p))
end

function done(summary, latency)
    local e = summary.errors
    io.stderr:write(string.format(
        '{"requests":%d,"duration_us":%d,"requests_per_s":%.0f,"bytes":%d,' ..
        '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d},' ..
        '"latency_us":{"p50":%s,"p75":%s,"p90":%s,"p99":%s,"p999":%s,"max":%d}}\n',
        summary.requests, summary.duration, summary.requests * 1e6 / summary.duration, summary.bytes,
        e.connect, e.read, e.write, e.timeout, e.status,
        quantile(latency, 50), quantile(latency, 75), quantile(latency, 90), quantile(latency, 99),
        quantile(latency, 99.9), latency.max))
end
