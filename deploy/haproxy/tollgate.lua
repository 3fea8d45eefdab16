-- Asks Tollgate whether a request may pass, and hands its facts on to the API. Used in haproxy.cfg as
--   http-request lua.tollgate ADDRESS
-- Anything but a 200 is a refusal, which the customer gets as the gate words it; no answer is a 503.

local PREFIX = "x-tollgate-"

-- What concerns the connection to the gate alone; all else of a refusal is for the customer.
local OWN = { ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true, ["content-length"] = true }

-- The lines of one header, counted from 1 as the client wants them; several stay several, for the gate to refuse.
local function lines(headers, name)
  local found = {}
  local values = headers[name]
  if values then
    for i = 0, #values do
      found[#found + 1] = values[i]
    end
  end
  return found
end

local function refuse(txn, answer)
  local reply = txn:reply()
  local body = answer.body or ""
  reply:set_status(answer.status)
  for name, values in pairs(answer.headers) do
    if not OWN[name] then
      for i = 0, #values do
        reply:add_header(name, values[i])
      end
    end
  end
  reply:add_header("content-length", #body)
  reply:set_body(body)
  txn:done(reply)
end

core.register_action("tollgate", { "http-req" }, function(txn, address)
  local question = {
    ["x-forwarded-method"] = { txn.f:method() },
    -- As it was sent: HAProxy normalizes no path unless it is told to. Do not let it.
    ["x-forwarded-uri"] = { txn.f:pathq() },
    ["x-forwarded-for"] = { txn.f:src() },
    ["authorization"] = lines(txn.http:req_get_headers(), "authorization"),
  }
  local answer = core.httpclient():get{ url = address .. "/api/v1/authorize", headers = question, timeout = 2000 }
  if not answer or answer.status ~= 200 then
    -- HAProxy's client words its own failures as a 503 with a page for people: told apart by the gate's header.
    local told = answer and answer.headers and answer.headers["x-tollgate-code"]
    refuse(txn, told and answer or {
      status = 503,
      headers = { ["content-type"] = { [0] = "application/json" }, ["retry-after"] = { [0] = "1" } },
      body = '{"error":"The gate cannot be reached."}',
    })
    return
  end

  for name, values in pairs(answer.headers) do
    if name:sub(1, #PREFIX) == PREFIX then
      txn.http:req_set_header(name, values[0])
    end
  end
  txn:set_var("txn.tollgate", "allowed")
end, 1)
