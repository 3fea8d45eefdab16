-- GET /api/v1/authorize about GET /v1/models with random keys: -- FILE LENGTH METHOD URI
-- FILE holds secrets of LENGTH bytes in a row; METHOD and URI name the headers in which the proxy tells the customer's request.
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "report.lua")

local secrets, length, count, head

function init(args)
  local file = assert(io.open(args[1], "rb"))
  secrets = file:read("*a")
  file:close()
  length = tonumber(args[2])
  count = #secrets / length
  math.randomseed(os.time())
  head = "GET " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
    .. "\r\n" .. args[3] .. ": GET\r\n" .. args[4] .. ": /v1/models\r\nAuthorization: Bearer "
end

function request()
  local at = math.random(0, count - 1) * length
  return head .. secrets:sub(at + 1, at + length) .. "\r\n\r\n"
end
