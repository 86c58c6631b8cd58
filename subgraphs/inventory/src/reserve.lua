-- Takes a quantity of one SKU out of what is available and notes the hold, or changes nothing.
-- KEYS: 1 available (counter), 2 holds (hash: reservation -> "quantity:parameters"), 3 deadlines (sorted set); all tagged {sku}
-- ARGV: 1 reservation, 2 quantity, 3 hash of the reservation's parameters, 4 time to live in ms
-- Answers { outcome, available }. A missing counter is NOT_READY: never zero, never unlimited.
local hold = redis.call('HGET', KEYS[2], ARGV[1])
local available = redis.call('GET', KEYS[1])
if not available then
  return { 'NOT_READY', 0 }
end
available = tonumber(available)
if hold then
  if hold == ARGV[2] .. ':' .. ARGV[3] then
    return { 'REPEATED', available }
  end
  return { 'KEY_REUSED', available }
end
local quantity = tonumber(ARGV[2])
if available < quantity then
  return { 'SOLD_OUT', available }
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('DECRBY', KEYS[1], quantity)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ':' .. ARGV[3])
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[4]), ARGV[1])
return { 'RESERVED', available - quantity }
