-- Forgets a hold and makes its units available again. Repeating it changes nothing: only a hold that is there returns its units.
-- KEYS: 1 available, 2 holds, 3 deadlines, 4 customers; ARGV: 1 reservation. Answers the number of units returned.
local hold = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if not hold then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[1])
local quantity, customer = string.match(hold, '^(%d+):[^:]*:?(.*)$')
quantity = tonumber(quantity)
-- A counter that is missing will be loaded from Postgres, where this hold is already gone.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('INCRBY', KEYS[1], quantity)
  if customer ~= '' and redis.call('HINCRBY', KEYS[4], customer, -quantity) <= 0 then
    redis.call('HDEL', KEYS[4], customer)
  end
end
return quantity
