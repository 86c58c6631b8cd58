-- KEYS[1] entry; ARGV: mark of the lease, what to keep ('' for nothing), its milliseconds. Does nothing without the lease.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
