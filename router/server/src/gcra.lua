-- Counts a request by the generic cell rate algorithm, on the clock of Redis, which all routers share.
-- KEYS[1]: the client. ARGV: microseconds between requests, requests that may come at once.
-- Returns the microseconds the request has to wait, 0 for not at all. A request that has to wait does not count.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = tonumber(redis.call('GET', KEYS[1]) or now)
local next_due = math.max(due, now) + interval
local wait = next_due - interval * burst - now
if wait > 0 then
  return wait
end
redis.call('SET', KEYS[1], string.format('%.0f', next_due), 'PX', math.ceil((next_due - now) / 1000))
return 0
