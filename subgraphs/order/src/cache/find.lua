-- KEYS[1] entry; ARGV: mark of a lease, its milliseconds. Gives what is there; where nothing is, takes the lease.
local kept = redis.call('GET', KEYS[1])
if kept then
  return kept
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
