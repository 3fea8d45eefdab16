-- POST /api/v1/verify with random keys: -- FILE LENGTH CALLER
-- FILE holds secrets of LENGTH bytes in a row; CALLER is the key that asks.
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "report.lua")

local secrets, length, count, head

function init(args)
  local file = assert(io.open(args[1], "rb"))
  secrets = file:read("*a")
  file:close()
  length = tonumber(args[2])
  count = #secrets / length
  math.randomseed(os.time())
  head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
    .. "\r\nAuthorization: Bearer " .. args[3]
    .. "\r\nContent-Type: application/json\r\nContent-Length: " .. (length + 10) .. "\r\n\r\n{\"key\":\""
end

function request()
  local at = math.random(0, count - 1) * length
  return head .. secrets:sub(at + 1, at + length) .. "\"}"
end
