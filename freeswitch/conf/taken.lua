-- The switch's first word about a caller whom it serves by itself: LEG.taken.json in the folder of call records, whole or
-- not at all, written when it takes them (`lua taken.lua`, in their dialplan). A switch that is killed writes no call
-- record; then this is what is left of the call. It goes once the orchestrator has imported the call: a record that was
-- begun may yet turn out to be none that can be read.
local api = freeswitch.API()
local folder = api:execute("global_getvar", "unattended_dir") .. "/"

-- A name may hold anything: quotes, line breaks, bytes that are no text. Nothing but plain letters, digits and % is written.
local function plain(value)
  local cut = value:sub(1, 2048)
  return (cut:gsub("[^A-Za-z0-9_.-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local function write(leg, fields)
  local parts = {}
  for name, value in pairs(fields) do
    parts[#parts + 1] = ('"%s":"%s"'):format(name, plain(value))
  end
  local half = folder .. leg .. ".taken.json.new"
  local file, why = io.open(half, "w")
  if file then
    local written = file:write("{" .. table.concat(parts, ",") .. "}")
    if file:close() and written and os.rename(half, folder .. leg .. ".taken.json") then
      return
    end
    os.remove(half)
    why = "it could not be written"
  end
  freeswitch.consoleLog("ERR", "no first word about a caller whom the switch serves: " .. tostring(why) .. "\n")
end

-- A dialplan of an earlier version runs it without a session, too, when the call is over.
if session then
  session:setAutoHangup(false)
  local function of(name)
    return session:getVariable(name) or ""
  end
  local asked = of("sip_req_user")
  write(of("uuid"), {
    uuid = of("uuid"),
    core = api:execute("global_getvar", "core_uuid"),
    node = of("ringledger_node"),
    contact = of("ringledger_contact"),
    -- What they dialled, wherever they were sent since.
    dialled = asked ~= "" and asked or of("rdnis"),
    caller_number = of("caller_id_number"),
    caller_name = of("caller_id_name"),
    host = of("network_addr"),
    arrived_at = of("created_time"),
    -- Since when they are in this context.
    taken_at = of("profile_created_time"),
  })
end
