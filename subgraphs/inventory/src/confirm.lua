-- Forgets a hold whose units are sold: they stay out of what is available. Repeating it changes nothing.
-- KEYS: 1 available, 2 holds, 3 deadlines, 4 customers (who keep what they bought); ARGV: 1 reservation. Answers 1 if there was a hold.
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])
