-- What every run says at its end, for a program to read: tollgate REQUESTS MICROSECONDS ERRORS P50 P99
function done(summary, latency)
  local errors = summary.errors
  print(string.format("tollgate %d %d %d %d %d", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
