-- http-request lua.mirror POOL: sends a copy of the request to another pool, and drops the answer.
-- The caller waits for none of it: a task of its own sends the copy, to the frontend on mirror.sock.

local MOST = 64 -- copies on their way at a time; what is beyond is not copied
local SOCKET = "unix@mirror.sock"
local TIMEOUT_MS = 60000

local on_their_way = 0

local function send(request)
  pcall(function() core.httpclient():post(request) end)
  on_their_way = on_their_way - 1
end

-- From what HAProxy hands out, which counts from 0, to what its client takes. The copy has a length of its own.
local function headers_of(txn)
  local found = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if name ~= "content-length" and name ~= "transfer-encoding" and name ~= "connection" then
      found[name] = {}
      for _, value in pairs(values) do
        table.insert(found[name], value)
      end
    end
  end
  return found
end

core.register_action("mirror", { "http-req" }, function(txn, pool)
  local body = txn.sf:req_body()
  if on_their_way >= MOST or body == nil or #body < txn.f:req_body_size() then
    return -- too many, or more than fits a buffer: half a request is no copy
  end
  local headers = headers_of(txn)
  headers["x-estiva-mirror"] = { pool }
  on_their_way = on_their_way + 1
  local request = {
    url = "http://127.0.0.1/score",
    dst = SOCKET,
    headers = headers,
    body = body,
    timeout = TIMEOUT_MS,
  }
  core.register_task(function() send(request) end)
end, 1)
