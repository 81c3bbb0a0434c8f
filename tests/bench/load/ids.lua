-- Load for wrk: requests that differ in a device id.
--
-- Environment: METHOD, URI, BODY (%s is the id), TYPE, LOGIN (the header);
-- FIRST and COUNT: ids of these numbers, each once in ORDER=once, else any of
-- 20,000 of them.  Number n has the id 350000000000000 + n * 387420489 mod
-- (2^31 - 1): spread over the index, and the same in SQL (Bench/Place.pm).
local method = os.getenv("METHOD") or "POST"
local uri = os.getenv("URI") or "/devicecontrol/deviceCredentials"
local body = os.getenv("BODY") or '{"id":"%s"}'
local first = tonumber(os.getenv("FIRST") or "0")
local count = tonumber(os.getenv("COUNT") or "1")
local once = os.getenv("ORDER") == "once"
local made, place = {}, 0

function init()
	local head = {
		["Content-Type"] = os.getenv("TYPE"),
		["Accept"] = os.getenv("TYPE"),
		["Authorization"] = os.getenv("LOGIN"),
	}
	math.randomseed(tonumber(os.getenv("SEED") or "1"))
	for k = 1, once and count or math.min(count, 20000) do
		local n = first + (once and k or math.random(1, count))
		local id = string.format("%.0f", 350000000000000 + (n * 387420489) % 2147483647)
		made[k] = wrk.format(method, (uri:gsub("%%s", id)), head,
			method ~= "GET" and (body:gsub("%%s", id)) or nil)
	end
end

function request()
	place = place % #made + 1
	return made[place]
end

function done(summary, latency)
	io.write(string.format("RESULT %d %d %d %d %d %.0f %.0f %.0f\n",
		summary.requests, summary.duration, summary.errors.status,
		summary.errors.connect + summary.errors.read + summary.errors.write,
		summary.errors.timeout, latency:percentile(50),
		latency:percentile(99), latency.max))
end
