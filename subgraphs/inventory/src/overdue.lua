-- Lists holds whose deadline passed some time ago. Postgres decides what becomes of them.
-- KEYS: 1 deadlines; ARGV: 1 grace in ms, 2 how many at most. Answers reservations.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]), 'LIMIT', 0, tonumber(ARGV[2]))
