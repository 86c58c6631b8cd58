-- Sets a missing counter, with the open holds that it has already been reduced by, and what customers have of a limited SKU.
-- A counter that is there is never touched: it knows of sales that the caller's figures do not. Many holds come in several calls: the
-- counter is set by the last, and nobody is admitted before.
-- KEYS: 1 available, 2 holds, 3 deadlines, 4 customers
-- ARGV: 1 '1' in the first call, 2 available, '' where more calls follow, 3 number of holds,
--       then for each hold: reservation, "quantity:parameters:customer", ms left; then for each customer: customer, units
-- Answers what is available now; -1 where more calls are to follow.
local present = redis.call('GET', KEYS[1])
if present then
  return tonumber(present)
end
if ARGV[1] == '1' then
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local last_hold = 3 + 3 * tonumber(ARGV[3])
for i = 4, last_hold, 3 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[3], now + tonumber(ARGV[i + 2]), ARGV[i])
end
for i = last_hold + 1, #ARGV, 2 do
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
end
if ARGV[2] == '' then
  return -1
end
redis.call('SET', KEYS[1], ARGV[2])
return tonumber(ARGV[2])
