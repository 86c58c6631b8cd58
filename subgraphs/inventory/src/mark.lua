-- Says whether these are the counters of an epoch, and counts the asking: a count that is not above the last one means that Redis was
-- put back to an older state. A missing mark stays missing: only whoever rebuilds the counters sets it.
-- KEYS: 1 mark (hash: epoch, asked). Answers { epoch or '', times asked }.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return { '', 0 }
end
return { epoch, redis.call('HINCRBY', KEYS[1], 'asked', 1) }
