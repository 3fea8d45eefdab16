-- POST /v1/chat/completions: -- KEY STREAMED [slowly]
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "report.lua")

function init(args)
  local more = args[2] == "true" and ',"stream":true' or ""
  local body = '{"model":"coin","messages":[{"role":"system","content":"You are a helpful assistant."},'
    .. '{"role":"user","content":"Tell me about gates, in a few words.' .. (args[3] and " " .. args[3] or "") .. '"}],"max_tokens":200' .. more .. "}"
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer " .. args[1]
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = body
end
