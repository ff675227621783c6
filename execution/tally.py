"""What each bucket of each exchange has spent, in the region's Redis: the Lua scripts behind `execution.limiter`.

A bucket is three keys. The hash has `held` (the sum of the log), `user:*` (the same by user, where users share the
bucket), `level` and `at` (a counter that runs off), `until` (blocked by the exchange; `sooner` is the same for what
protects a position). The log is a sorted set of what was spent, by the time it leaves; the queue is a sorted set of who
waits, by the time it is forgotten.

A request counts in full from its admission to its answer, because nobody knows when between the two the exchange
counted it; from its answer on it leaves as the exchange's windows do. One that is never settled (its worker died)
leaves after FLIGHT. All times are Redis's own, in ms; tests give theirs.
"""

from __future__ import annotations

_COMMON = """
-- longer than any request can take: the waits of a transport, and a turn
local FLIGHT = 30000
-- how far the exchange's clock may be from ours, for windows that begin by the exchange's clock
local SKEW = 250

local ask = cjson.decode(ARGV[1])
local now = ask.now
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function state(n) return KEYS[3 * n - 2] end
local function log(n) return KEYS[3 * n - 1] end
local function queue(n) return KEYS[3 * n] end

-- The keys outlive what they say, and go together.
local function keep(n, ms)
  local longest = math.max(ms, redis.call('PTTL', state(n)))
  redis.call('PEXPIRE', state(n), longest)
  redis.call('PEXPIRE', log(n), longest)
end

-- When something that the exchange counted at this moment leaves its count.
local function leaves(b)
  if b.kind ~= 'fixed' then return now + b.window end
  return (math.floor((now + SKEW) / b.window) + 1) * b.window + SKEW
end

local function add(n, user, cost)
  local b = ask.buckets[n]
  redis.call('HINCRBY', state(n), 'held', cost)
  if b.shared and redis.call('HINCRBY', state(n), 'user:' .. user, cost) <= 0 then
    redis.call('HDEL', state(n), 'user:' .. user)
  end
end

local function level(n)
  local b, found = ask.buckets[n], redis.call('HMGET', state(n), 'level', 'at')
  local gone = (now - tonumber(found[2] or now)) * b.capacity / b.window
  return math.max(0, tonumber(found[1] or 0) - gone)
end

-- What is used now, in flight included. What left the count is taken off first.
local function used(n)
  local gone = redis.call('ZRANGEBYSCORE', log(n), '-inf', now)
  if #gone > 0 then
    local by_user = {}
    for _, entry in ipairs(gone) do
      local cost, user = entry:match('^(%d+):([^:]*):')
      by_user[user] = (by_user[user] or 0) + cost
    end
    for user, cost in pairs(by_user) do add(n, user, -cost) end
    redis.call('ZREMRANGEBYSCORE', log(n), '-inf', now)
  end
  return tonumber(redis.call('HGET', state(n), 'held') or 0) + math.ceil(level(n))
end
"""

# ARGV: {now, id, user, priority, patience, arrived (0: asks for the first time), buckets, ways}; a bucket is {kind,
# capacity, window, allowed, cost, shared}, a way the numbers of the buckets that one address would charge.
# Answers {verdict (0 taken, 1 wait, 2 refused), ms to wait, number of the way, now}.
ADMIT = (
    _COMMON
    + """
-- who waits asks again more often than this, or loses its place
local STAND = 1500
local arrived = ask.arrived
if arrived == 0 then arrived = now end

local function place(n)
  return string.format('%d:%.0f:%d:%s:%s', ask.priority, arrived, ask.buckets[n].cost, ask.user, ask.id)
end

local function precedes(one, other)
  for i = 1, 4 do
    if one[i] ~= other[i] then return one[i] < other[i] end
  end
  return false
end

-- How much those want who stand before this request: they have a higher priority; or the same, and this one's
-- user has had its share of the bucket while theirs have not; or they came earlier.
local function wanted_before(n)
  local b, others, users, count = ask.buckets[n], {}, {[ask.user] = true}, 1
  redis.call('ZREMRANGEBYSCORE', queue(n), '-inf', now)
  for _, member in ipairs(redis.call('ZRANGE', queue(n), 0, -1)) do
    local priority, since, cost, user, id = member:match('^(%d+):(%d+):(%d+):([^:]*):(.*)$')
    if id ~= ask.id then
      others[#others + 1] = {tonumber(priority), 0, tonumber(since), id, user = user, cost = tonumber(cost)}
      if not users[user] then users[user], count = true, count + 1 end
    end
  end
  local function sated(user, cost)
    if not b.shared or count == 1 then return 0 end
    local had = tonumber(redis.call('HGET', state(n), 'user:' .. user) or 0)
    return had + cost > b.capacity / count and 1 or 0
  end
  local sum, mine = 0, {ask.priority, sated(ask.user, b.cost), arrived, ask.id}
  for _, other in ipairs(others) do
    other[2] = sated(other.user, other.cost)
    if precedes(other, mine) then sum = sum + other.cost end
  end
  return sum
end

-- How long until `excess` units have left.
local function freed(n, excess)
  local b, times = ask.buckets[n], leaves(ask.buckets[n])
  if b.kind == 'leaky' then return excess * b.window / b.capacity end
  if b.kind == 'fixed' then
    local first = redis.call('ZRANGE', log(n), 0, 0, 'WITHSCORES')[2]
    local rounds = math.max(0, math.ceil((excess - b.used) / math.max(b.allowed, 1)))
    return math.min(tonumber(first or times), times) - now + rounds * b.window
  end
  local entries = redis.call('ZRANGE', log(n), 0, -1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    excess = excess - entries[i]:match('^%d+')
    if excess <= 0 then return math.min(tonumber(entries[i + 1]), times) - now end
  end
  return b.window * (1 + math.ceil(excess / math.max(b.allowed, 1)))
end

local function wait(n)
  local b = ask.buckets[n]
  b.used = used(n)
  local blocked = tonumber(redis.call('HGET', state(n), ask.priority == 0 and 'sooner' or 'until') or 0) - now
  if blocked > 0 then return blocked end
  if b.cost == 0 then return 0 end
  -- a cost above its share waits for the last of the others, not for ever: then it goes through alone
  local excess = b.used + wanted_before(n) + math.min(b.cost, b.allowed) - b.allowed
  if excess <= 0 then return 0 end
  return math.max(1, math.ceil(freed(n, excess)))
end

local function take(n)
  local b = ask.buckets[n]
  if b.cost == 0 then return end
  local entry = string.format('%d:%s:%s', b.cost, ask.user, ask.id)
  if redis.call('ZADD', log(n), now + FLIGHT + b.window, entry) == 1 then add(n, ask.user, b.cost) end
  keep(n, FLIGHT + 2 * b.window)
end

local waits = {}
for n = 1, #ask.buckets do waits[n] = wait(n) end
local best, shortest, most = 1, math.huge, -math.huge
for number, way in ipairs(ask.ways) do
  local longest, room = 0, 1
  for _, n in ipairs(way) do
    longest = math.max(longest, waits[n])
    room = math.min(room, 1 - ask.buckets[n].used / ask.buckets[n].capacity)
  end
  if longest < shortest or (longest == shortest and room > most) then
    best, shortest, most = number, longest, room
  end
end

local stands = {}
local verdict = (shortest == 0 and 0) or (now + shortest <= arrived + ask.patience and 1) or 2
for _, n in ipairs(ask.ways[best]) do
  if verdict == 0 then take(n) end
  stands[n] = verdict == 1 and waits[n] > 0
end
for n = 1, #ask.buckets do
  if stands[n] then
    redis.call('ZADD', queue(n), now + STAND, place(n))
    redis.call('PEXPIRE', queue(n), 2 * STAND)
  elseif ask.arrived > 0 then
    redis.call('ZREM', queue(n), place(n))
  end
end
return {verdict, shortest, best, now}
"""
)

# ARGV: {now, id, user, admitted, buckets}; a bucket has `seen` besides: what the exchange says is used, or -1.
SETTLE = (
    _COMMON
    + """
local function spend(n, user, cost, id)
  local b = ask.buckets[n]
  if b.kind == 'leaky' then
    redis.call('HSET', state(n), 'level', level(n) + cost, 'at', now)
    return
  end
  if redis.call('ZADD', log(n), leaves(b), string.format('%d:%s:%s', cost, user, id)) == 1 then
    add(n, user, cost)
  end
end

for n, b in ipairs(ask.buckets) do
  local entry = string.format('%d:%s:%s', b.cost, ask.user, ask.id)
  if redis.call('ZSCORE', log(n), entry) then
    if b.kind == 'leaky' then
      redis.call('ZREM', log(n), entry)
      add(n, ask.user, -b.cost)
    end
    spend(n, ask.user, b.cost, ask.id)
  end
  -- a count of a window that has ended meanwhile says nothing of this one
  local current = b.kind ~= 'fixed' or math.floor(ask.admitted / b.window) == math.floor(now / b.window)
  local missing = b.seen - used(n)
  if current and missing > 0 then spend(n, '-', missing, 'seen' .. ask.id) end
  keep(n, FLIGHT + 2 * b.window)
end
"""
)

# ARGV: {now, ms, sooner, buckets}: one bucket.
BLOCK = (
    _COMMON
    + """
for name, ms in pairs({['until'] = ask.ms, sooner = ask.sooner}) do
  local blocked = tonumber(redis.call('HGET', state(1), name) or 0)
  redis.call('HSET', state(1), name, string.format('%.0f', math.max(blocked, now + ms)))
end
keep(1, ask.ms + FLIGHT)
"""
)

# KEYS: lease. ARGV: token. Ends the lease if it is still ours.
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
