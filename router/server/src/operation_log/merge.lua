-- Adds a batch of records to those of all routers, once, and keeps the ones used last.
-- KEYS: operation and client by id, first use, count, last use, the mark of this batch
-- ARGV: records kept; then of each record: id, operation and client, first use, count, last use (times in seconds)
if not redis.call('SET', KEYS[5], '', 'NX', 'EX', 3600) then
    return 0 -- A router whose answer was lost sends its batch again.
end
for i = 2, #ARGV, 5 do
    local id, first = ARGV[i], tonumber(ARGV[i + 2])
    redis.call('HSETNX', KEYS[1], id, ARGV[i + 1])
    local known = tonumber(redis.call('HGET', KEYS[2], id) or first)
    redis.call('HSET', KEYS[2], id, math.min(known, first))
    redis.call('HINCRBY', KEYS[3], id, ARGV[i + 3])
    redis.call('ZADD', KEYS[4], 'GT', ARGV[i + 4], id)
end
local surplus = redis.call('ZCARD', KEYS[4]) - tonumber(ARGV[1])
if surplus > 0 then
    local oldest = redis.call('ZPOPMIN', KEYS[4], surplus)
    for i = 1, #oldest, 2 do
        redis.call('HDEL', KEYS[1], oldest[i])
        redis.call('HDEL', KEYS[2], oldest[i])
        redis.call('HDEL', KEYS[3], oldest[i])
    end
end
return 1
