-- What every run says at its end, for a program to read: tollgate REQUESTS MICROSECONDS BROKEN REFUSED P50 P99
function done(summary, latency)
  local errors = summary.errors
  print(string.format("tollgate %d %d %d %d %d %d", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status,
    latency:percentile(50), latency:percentile(99)))
end
