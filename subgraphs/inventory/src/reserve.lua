-- Takes a quantity of one SKU out of what is available and notes the hold, or changes nothing.
-- KEYS: 1 available (counter), 2 holds (hash: reservation -> "quantity:parameters:customer"), 3 deadlines (sorted set),
--       4 customers (hash: customer -> units held or bought under a limit); all tagged {sku}
-- ARGV: 1 reservation, 2 quantity, 3 hash of the reservation's parameters, 4 time to live in ms,
--       then '' where there is none: 5 limit per customer, 6 ms since 1970 at which the sale opens; 7 customer
-- Answers { outcome, how many }. A missing counter is NOT_READY: never zero, never unlimited.
local hold = redis.call('HGET', KEYS[2], ARGV[1])
local available = redis.call('GET', KEYS[1])
if not available then
  return { 'NOT_READY', 0 }
end
available = tonumber(available)
local entry = ARGV[2] .. ':' .. ARGV[3] .. ':'
if hold then
  if string.sub(hold, 1, #entry) == entry then
    return { 'REPEATED', available }
  end
  return { 'KEY_REUSED', available }
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[6] ~= '' and now < tonumber(ARGV[6]) then
  return { 'NOT_STARTED', 0 }
end
local quantity = tonumber(ARGV[2])
if ARGV[5] ~= '' then
  local left = tonumber(ARGV[5]) - tonumber(redis.call('HGET', KEYS[4], ARGV[7]) or '0')
  if quantity > left then
    return { 'LIMIT_EXCEEDED', math.max(left, 0) }
  end
end
if available < quantity then
  return { 'SOLD_OUT', available }
end
if ARGV[5] ~= '' then
  redis.call('HINCRBY', KEYS[4], ARGV[7], quantity)
  entry = entry .. ARGV[7]
end
redis.call('DECRBY', KEYS[1], quantity)
redis.call('HSET', KEYS[2], ARGV[1], entry)
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[4]), ARGV[1])
return { 'RESERVED', available - quantity }
