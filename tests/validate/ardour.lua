-- Ardour (VST3), headless: one step of a session with Cantus on a track; the program that starts it says which.
-- make: a session with the plugin. sing: capture the hum that lies on the track, generate, save. reopen: open and save.
local folder, step = os.getenv("CANTUS_FOLDER"), os.getenv("CANTUS_STEP")
local by_hand = ARDOUR.TransportRequestSource.TRS_UI
local must_stop = ARDOUR.LocateTransportDisposition.MustStop
local rate, bpm, beat = 48000, 100, 28800
local directory = folder .. "/session"

AudioEngine:set_backend("None (Dummy)", "", "")

local function fail(why)
  print("FAIL " .. why)
  close_session()
  quit()
end

-- How often the plugin's diary holds a word.
local function noted(word)
  local file, count = io.open(folder .. "/trace"), 0
  if not file then return 0 end
  for line in file:lines() do
    if line:find(word, 1, true) then count = count + 1 end
  end
  file:close()
  return count
end

local function wait_for(word, what)
  for _ = 1, 1200 do
    if noted(word) > 0 then return end
    sleep(0.1)
  end
  fail("waited too long for " .. what)
end

-- A parameter of the plugin by the name a user reads: its number among Ardour's controls.
local function number_of(plugin, name)
  for n = 0, plugin:parameter_count() - 1 do
    if plugin:parameter_is_input(n) and plugin:parameter_label(n) == name then return n end
  end
  fail("no parameter is called " .. name)
end

if step == "make" then
  local session = create_session(directory, "song", rate)
  local map = Temporal.TempoMap.write_copy()
  map:set_tempo(Temporal.Tempo(bpm, bpm, 4), Temporal.timepos_t(0))
  Temporal.TempoMap.update(map)
  local track
  for one in session:new_audio_track(2, 2, nil, 1, "hum", ARDOUR.PresentationInfo.max_order,
    ARDOUR.TrackMode.Normal, true):iter() do track = one end
  local plugin = ARDOUR.LuaAPI.new_plugin(session, "Cantus", ARDOUR.PluginType.VST3, "")
  if plugin:isnil() then fail("Ardour does not find the plugin") end
  track:add_processor_by_index(plugin, 0, nil, true)
  session:save_state("", false, false, false, false, false)
  print("OK " .. track:name())
elseif step == "reopen" then
  local session = load_session(directory, "song")
  sleep(3)
  session:save_state("", false, false, false, false, false)
  print("OK opened")
else
  local session = load_session(directory, "song")
  local inserted
  for route in session:get_routes():iter() do
    local plugin = route:nth_plugin(0)
    if not plugin:isnil() then inserted = plugin end
  end
  if not inserted then fail("the session has no plugin") end
  local plugin = inserted:to_insert():plugin(0)
  local function set(name, value)
    local number = number_of(plugin, name)
    if not ARDOUR.LuaAPI.set_processor_param(inserted, number_of_control(plugin, number), value) then
      fail("cannot set " .. name)
    end
  end
  function number_of_control(one, number)
    local control = 0
    for n = 0, number - 1 do
      if one:parameter_is_input(n) then control = control + 1 end
    end
    return control
  end
  set("Capture mode", 2)
  session:request_locate(2 * beat, false, must_stop, by_hand)
  sleep(1)
  set("Capture", 1)
  sleep(0.5)
  session:request_play_loop(true, false)
  sleep(0.5)
  session:request_roll(by_hand)
  wait_for('"event":"analysis"', "the take")
  session:request_stop(false, false, by_hand)
  sleep(1)
  set("Generate", 1)
  wait_for('"event":"rendition"', "the rendition")
  wait_for('"ready":true', "the rendition on the audio thread")
  sleep(2)
  session:request_play_loop(false, true)
  session:save_state("", false, false, false, false, false)
  print("OK " .. noted('"event":"take"') .. " takes")
end
close_session()
quit()
