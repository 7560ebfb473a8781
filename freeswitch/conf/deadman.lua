-- The dead-man's switch. The orchestrator writes `ringledger_alive` again and again; `luarun deadman.lua` looks once a second
-- whether it did, and takes the word back. Where nobody has written it for as long as the switch is told to wait, new callers
-- are served by the dialplan (context ringledger-unattended), and those who wait are sent there, the longest waiting first.
-- Told to wait 0 seconds, it waits for ever.
-- With the argument `start` it begins to look. Everything costs a look a second, and nothing a call.
local api = freeswitch.API()

local function global(name)
  return api:execute("global_getvar", name)
end

local function set(name, value)
  api:execute("global_setvar", name .. "=" .. value)
end

-- What becomes of a leg that is joined with nobody (these two states, as in every snapshot of ours), and to which nobody will
-- say anything: a caller waits no longer, and a phone that was rung for one puts down. Whether it was. The switch encodes
-- each value that it dumps (a line break in a name is no new line); whoever was taken is asked first all the same, for one
-- who could forge a context would be taken again at each look, before all who came later.
local function serve(leg)
  local dump = "\n" .. api:execute("uuid_dump", leg)
  local function of(header)
    return dump:match("\n" .. header .. ": ([^\n]*)") or ""
  end
  if dump:find("\nvariable_ringledger_unattended: yes\n", 1, true) then
    return false
  end
  local state, doing = of("Channel%-State"), of("variable_current_application")
  if (state ~= "CS_EXECUTE" and state ~= "CS_PARK") or doing == "conference" or doing == "eavesdrop" then
    return false
  elseif of("Caller%-Context") == "ringledger-inbound" then
    api:execute("uuid_transfer", leg .. " served-by-the-switch XML ringledger-unattended")
    return true
  elseif doing == "park" and of("variable_ringledger_offer") ~= "" then
    api:execute("uuid_kill", leg .. " ORIGINATOR_CANCEL")
    return true
  end
  return false
end

-- A name of a caller may hold anything, line breaks too: only what stands before it in a line counts, and each leg is asked.
local function sweep(most)
  for line in api:execute("show", "channels"):gmatch("[^\n]+") do
    local leg = line:match("^([0-9a-f-]+),%a+bound,")
    if leg and #leg == 36 and most > 0 and serve(leg) then
      most = most - 1
    end
  end
end

if argv[1] == "start" then
  api:execute("sched_api", "@1 ringledger-deadman luarun deadman.lua")
elseif global("ringledger_alive") ~= "" then
  -- One that is full serves those who are inside; new callers are served by the dialplan.
  local full = global("ringledger_alive") == "full"
  set("ringledger_alive", "")
  set("ringledger_silent_s", "0")
  set("ringledger_unattended", full and "yes" or "")
else
  local silent = (tonumber(global("ringledger_silent_s")) or 0) + 1
  set("ringledger_silent_s", tostring(silent))
  local patience = tonumber(global("ringledger_patience_s")) or 0
  if patience > 0 and silent >= patience then
    set("ringledger_unattended", "yes")
    sweep(tonumber(global("ringledger_sweep")))
  end
end
