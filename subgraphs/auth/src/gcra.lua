-- One attempt under the generic cell rate algorithm: the time at which a steady stream of attempts would have arrived is all there is to keep.
-- KEYS[1]  that time, in milliseconds
-- ARGV[1]  milliseconds one attempt stands for
-- ARGV[2]  milliseconds the stream may run ahead: attempts in one burst times ARGV[1]
-- Returns 0 where the attempt is allowed, else the milliseconds until one is.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local arrival = tonumber(redis.call('GET', KEYS[1]) or now)
if arrival < now then arrival = now end
local following = arrival + ARGV[1]
local wait = following - ARGV[2] - now
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', string.format('%.0f', following - now))
return 0
